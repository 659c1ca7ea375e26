//! The engine by itself, as other faces than `Sequential` use it: networks of several inputs and
//! outputs, streams, and what stays when something is exchanged.

mod support;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use ndarray::{Array2, Array3, array};
use oxhorn::{
    Error, Logs, Result, Shuffle,
    callbacks::{Callback, Granularity, Training},
    data::{Data, Samples, Source, Stream},
    engine::{Asked, Engine, Key, Kind, Masked, Network, Objective},
    fit::Frequency,
    looping::{Loop, Output},
    losses::{Loss, SparseCategoricalCrossentropy},
    metrics::Metric,
    optimizers::{Adam, Optimizer, OptimizerSettings, SGD},
    progress::Verbosity,
    techniques::{JacobianPenalty, Mixup, SAM, Technique},
};
use oxhorn_ir::{DType, Tensor, Type};
use oxhorn_nn::{Initial, Scope, Variable, Weight};
use support::seeded;

/// Two inputs and two outputs, which share nothing: `left = x0 · w` and `right = x1 · v`, both
/// beginning with ones.
struct Pair;

impl Network for Pair {
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let ones = Weight::new("ones");
        let each = ["left", "right"].into_iter().zip(x);
        each.map(|(name, x)| x.dot(cx.child(name).weight("kernel", [x.dim(-1), 1], &ones)))
            .collect()
    }
}

/// What the samples and targets of `Pair` are; the expected numbers below are those of the same
/// model in Keras, and follow from the errors `[1, 0, -2]` and `[1, -2, 0]`.
struct PairData {
    x: (Array2<f64>, Array2<f64>),
    y: (Array2<f64>, Array2<f64>),
}

impl PairData {
    fn new() -> PairData {
        PairData {
            x: (array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], array![[1.0], [2.0], [3.0]]),
            y: (array![[2.0], [7.0], [13.0]], array![[0.0], [4.0], [3.0]]),
        }
    }

    fn data(&self) -> Data<'_> {
        Data {
            x: vec![(&self.x.0).into(), (&self.x.1).into()],
            y: vec![Some((&self.y.0).into()), Some((&self.y.1).into())],
            sample_weight: vec![None, None],
        }
    }
}

fn asked(output: &str, loss: Option<&str>, metrics: &[&str]) -> Asked {
    Asked {
        output: output.to_owned(),
        loss: loss.map(Loss::from),
        metrics: metrics.iter().map(|&name| Metric::from(name)).collect(),
        ..Asked::default()
    }
}

fn engine(network: impl Network + 'static, objective: Objective) -> Engine {
    let mut engine = Engine::new(Box::new(network), 1);
    engine.set_objective(objective).unwrap();
    engine
}

/// An engine for `Pair` that steps by a tenth of the gradient.
fn pair(outputs: Vec<Asked>) -> Engine {
    let optimizer = Optimizer::from(SGD::new().learning_rate(0.1));
    engine(Pair, Objective { optimizer, outputs, techniques: vec![] })
}

fn whole(data: Data<'_>) -> Source<'_> {
    let rows = data.rows();
    Source::arrays(data, rows, Shuffle::Off).unwrap()
}

#[track_caller]
fn check(logs: &Logs, expected: &[(&str, f64)]) {
    assert_eq!(
        logs.names().collect::<Vec<_>>(),
        expected.iter().map(|(name, _)| *name).collect::<Vec<_>>()
    );
    for (name, value) in expected {
        assert!((logs[*name] - value).abs() < 1e-6, "{name}: {}, not {value}", logs[*name]);
    }
}

#[track_caller]
fn check_value(engine: &Engine, path: &str, expected: &[f64]) {
    let value = engine.value(path).unwrap();
    let close = value.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-6);
    assert!(close && value.len() == expected.len(), "{path}: {value:?}, not {expected:?}");
}

#[test]
fn losses_of_several_outputs_are_weighed_and_named_as_in_keras() {
    let left = Asked {
        loss_weight: Some(2.0),
        weighted_metrics: vec!["mae".into()],
        ..asked("left", Some("mse"), &["mae"])
    };
    let mut engine = pair(vec![left, asked("right", Some("mae"), &["mse"])]);
    let arrays = PairData::new();
    let expected = [
        ("left_loss", 5.0 / 3.0),
        ("left_mae", 1.0),
        ("left_weighted_mae", 1.0),
        ("loss", 2.0 * 5.0 / 3.0 + 1.0),
        ("right_loss", 1.0),
        ("right_mse", 5.0 / 3.0),
    ];
    check(&engine.evaluate(whole(arrays.data()), Loop::new()).unwrap(), &expected);
    let (w0, w1) = ([1.0, 1.0, 0.5], [2.0, 1.0, 1.0]);
    let sample_weight = vec![Some((&w0).into()), Some((&w1).into())];
    let weighted = Data { sample_weight, ..arrays.data() };
    check(
        &engine.evaluate(whole(weighted), Loop::new()).unwrap(),
        &[
            ("left_loss", 1.0),
            ("left_mae", 1.0),
            ("left_weighted_mae", 0.8),
            ("loss", 2.0 + 4.0 / 3.0),
            ("right_loss", 4.0 / 3.0),
            ("right_mse", 5.0 / 3.0),
        ],
    );
    let keras_order: Vec<String> = engine.result_names().map(str::to_owned).collect();
    let names = ["loss", "left_loss", "right_loss", "left_mae", "left_weighted_mae", "right_mse"];
    assert_eq!(keras_order, names);
    check(&engine.on_batch(Kind::Train, whole(arrays.data())).unwrap(), &expected);
    check_value(&engine, "left/kernel", &[2.2, 7.0 / 3.0]);
    check_value(&engine, "right/kernel", &[17.0 / 15.0]);
}

/// `Pair`, of which samples count for `left` whose numbers add up to more than 3.
struct HalfMasked;

impl Network for HalfMasked {
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        Pair.call(cx, x)
    }

    fn call_masked<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Masked<'g>> {
        let counts = x[0].sum([1]).greater(3.0);
        self.call(cx, x).into_iter().zip([Some(counts), None]).collect()
    }
}

#[test]
fn losses_and_means_leave_out_what_an_output_masks() {
    let optimizer = Optimizer::from(SGD::new().learning_rate(0.1));
    let left = asked("left", Some("mse"), &["mae", "RootMeanSquaredError"]);
    let outputs = vec![left, asked("right", Some("mae"), &[])];
    let mut engine = engine(HalfMasked, Objective { optimizer, outputs, techniques: vec![] });
    let arrays = PairData::new();
    let expected = [
        ("left_RootMeanSquaredError", (5.0_f64 / 3.0).sqrt()),
        ("left_loss", 2.0),
        ("left_mae", 1.0),
        ("loss", 3.0),
        ("right_loss", 1.0),
    ];
    check(&engine.evaluate(whole(arrays.data()), Loop::new()).unwrap(), &expected);
    check(&engine.on_batch(Kind::Train, whole(arrays.data())).unwrap(), &expected);
    // Half of the gradients of the second and third error's squares, which are 0 and -4.
    check_value(&engine, "left/kernel", &[2.0, 2.2]);
    check_value(&engine, "right/kernel", &[17.0 / 15.0]);
}

#[test]
fn an_output_without_loss_is_measured_but_not_trained() {
    let mut engine =
        pair(vec![asked("left", None, &["mae"]), asked("right", Some("mae"), &["mse"])]);
    let arrays = PairData::new();
    let expected = [("left_mae", 1.0), ("loss", 1.0), ("right_mse", 5.0 / 3.0)];
    check(&engine.on_batch(Kind::Train, whole(arrays.data())).unwrap(), &expected);
    check_value(&engine, "left/kernel", &[1.0, 1.0]);
    check_value(&engine, "right/kernel", &[17.0 / 15.0]);
    // It needs no target either.
    let mut data = arrays.data();
    data.y[0] = None;
    let mut engine = pair(vec![asked("left", None, &["mae"]), asked("right", Some("mae"), &[])]);
    check(&engine.evaluate(whole(data), Loop::new()).unwrap(), &[("loss", 1.0)]);
}

#[test]
fn predictions_come_output_by_output_and_batch_by_batch() {
    let arrays = PairData::new();
    let mut engine = Engine::new(Box::new(Pair), 2);
    let source = Source::arrays(arrays.data(), 2, Shuffle::Off).unwrap();
    let predictions = engine.predict(source, Loop::new()).unwrap();
    assert_eq!(predictions.types, [Type::f32([3, 1]), Type::f32([3, 1])]);
    let floats = |bytes: &Vec<u8>| -> Vec<f32> {
        bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect()
    };
    assert_eq!(floats(&predictions.bytes[0]), [3.0, 7.0, 11.0]);
    assert_eq!(floats(&predictions.bytes[1]), [1.0, 2.0, 3.0]);
}

/// Its input in another shape, which is no computation.
struct Flat;

impl Network for Flat {
    fn call<'g>(&self, _: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        vec![x[0].reshape([x[0].dim(0), 6]), x[0]]
    }
}

#[test]
fn predictions_have_the_shapes_that_the_network_gives_them() {
    let x = Array3::<f32>::zeros((5, 2, 3));
    let source = Source::arrays(Data::single((&x).into(), None, None), 2, Shuffle::Off).unwrap();
    let predictions = Engine::new(Box::new(Flat), 1).predict(source, Loop::new()).unwrap();
    assert_eq!(predictions.types, [Type::f32([5, 6]), Type::f32([5, 2, 3])]);
}

/// What it is given, as it is.
struct Echo;

impl Network for Echo {
    fn call<'g>(&self, _: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        x.to_vec()
    }
}

/// A batch of floats, and then one of integers.
struct Mixed(usize);

impl Stream for Mixed {
    fn begin(&mut self) -> Result<()> {
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Data<'_>>> {
        self.0 += 1;
        Ok(match self.0 {
            1 => Some(Data::single(Samples::from(&[0.5]).into_owned(), None, None)),
            2 => Some(Data::single(Samples::from(&[1, 2]).into_owned(), None, None)),
            _ => None,
        })
    }

    fn batches(&self) -> Option<usize> {
        Some(2)
    }
}

#[test]
fn predictions_of_different_types_are_not_put_together() {
    let mut engine = Engine::new(Box::new(Echo), 1);
    let error = engine.predict(Source::stream(Mixed(0)), Loop::new()).unwrap_err();
    assert_eq!(
        error.message,
        "one batch gave i32[2], another f32[1], which cannot be put together"
    );
    let predictions = engine.predict(Source::stream(Mixed(1)), Loop::new()).unwrap();
    assert_eq!(predictions.types, [Type::new(DType::I32, [2])]);
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let arrays = PairData::new();
    let both = || vec![asked("left", Some("mse"), &[]), asked("right", Some("mse"), &[])];
    let refusal = |engine: &mut Engine, data: Data<'_>| {
        let error = engine.fit(whole(data), None, Loop::new()).unwrap_err();
        assert_eq!((engine.programs(), engine.weights().paths().count()), (0, 0));
        error.message
    };
    let mut data = arrays.data();
    data.y.pop();
    assert_eq!(
        refusal(&mut pair(both()), data),
        "there are 1 targets and 2 weights of samples for 2 outputs"
    );
    let mut one = pair(vec![asked("left", Some("mse"), &[])]);
    let data =
        Data { y: arrays.data().y[..1].to_vec(), sample_weight: vec![None], ..arrays.data() };
    assert_eq!(refusal(&mut one, data), "the network gives 2 outputs, but 1 are trained");
    let short = [1.0, 2.0];
    let mut data = arrays.data();
    data.y[1] = Some((&short).into());
    let error = Source::arrays(data, 2, Shuffle::Off).err().unwrap();
    assert_eq!(
        error.message,
        "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. \
         'x0' sizes: 3, 'x1' sizes: 3, 'y0' sizes: 3, 'y1' sizes: 2"
    );
    let mut engine = Engine::new(Box::new(Pair), 1);
    let unknown = Objective::new("sgdd", "mse");
    assert_eq!(
        engine.set_objective(unknown).unwrap_err().message,
        "Could not interpret optimizer identifier: sgdd"
    );
    assert!(engine.objective().is_none());
    let error = engine.fit(whole(arrays.data()), None, Loop::new()).unwrap_err();
    assert_eq!(error.message, "You must call `compile()` before using the model.");
}

/// The identity, with a weight that takes no part in it; the loss `mae` for targets of 0 is then
/// the mean of the samples that an epoch took.
struct Identity;

impl Network for Identity {
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let weight = cx.weight("kernel", [1], &Weight::new("zeros"));
        vec![x[0].cast(DType::F32) + weight.broadcast(x[0].shape()) * 0.0]
    }
}

fn identity() -> Engine {
    engine(Identity, Objective::new(SGD::new(), "mae"))
}

/// Samples of these values, with targets of 0.
fn valued(values: &[f64]) -> Data<'static> {
    let column = |values: Vec<f64>| {
        let column = Array2::from_shape_vec((values.len(), 1), values).unwrap();
        Samples::from(&column).into_owned()
    };
    let zeros = column(vec![0.0; values.len()]);
    Data::single(column(values.to_vec()), Some(zeros), None)
}

fn epochs<'a>(epochs: usize) -> Loop<'a> {
    Loop { epochs, ..Loop::new() }
}

/// A stream of batches of these values, which counts its passes.
struct Batches {
    batches: Vec<Vec<f64>>,
    promised: Option<usize>,
    next: usize,
    passes: Rc<Cell<usize>>,
}

impl Batches {
    fn new(batches: &[&[f64]], promised: Option<usize>) -> Batches {
        let batches = batches.iter().map(|batch| batch.to_vec()).collect();
        Batches { batches, promised, next: 0, passes: Rc::default() }
    }
}

impl Stream for Batches {
    fn begin(&mut self) -> Result<()> {
        self.passes.set(self.passes.get() + 1);
        self.next = 0;
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Data<'_>>> {
        self.next += 1;
        Ok(self.batches.get(self.next - 1).map(|values| valued(values)))
    }

    fn batches(&self) -> Option<usize> {
        self.promised
    }
}

#[test]
fn epochs_of_some_steps_go_on_where_the_last_one_ended() {
    // Of three batches, the second epoch takes the third, and the third begins anew.
    let expected = [2.5, 5.0, 2.5, 5.0];
    let values = [1.0, 2.0, 3.0, 4.0, 5.0];
    let arrays = Source::arrays(valued(&values), 2, Shuffle::Off).unwrap().steps(Some(2));
    let history = identity().fit(arrays, None, epochs(4)).unwrap();
    assert_eq!(history["loss"], expected);
    for promised in [None, Some(3)] {
        let stream = Batches::new(&[&[1.0, 2.0], &[3.0, 4.0], &[5.0]], promised);
        let passes = Rc::clone(&stream.passes);
        let source = Source::stream(stream).steps(Some(2));
        let history = identity().fit(source, None, epochs(4)).unwrap();
        assert_eq!(history["loss"], expected, "{promised:?} batches are promised");
        assert_eq!(passes.get(), 2);
    }
    // An epoch that ends with a pass is followed by one that begins another.
    let arrays = Source::arrays(valued(&values[..4]), 2, Shuffle::Off).unwrap().steps(Some(2));
    let history = identity().fit(arrays, None, epochs(3)).unwrap();
    assert_eq!(history["loss"], [2.5; 3]);
}

#[test]
fn every_validation_takes_the_first_batches() {
    let source = || Source::arrays(valued(&[1.0, 2.0, 3.0, 4.0, 5.0]), 2, Shuffle::Off).unwrap();
    let validation = source().steps(Some(2));
    let history = identity().fit(source(), Some(validation), epochs(3)).unwrap();
    assert_eq!((&history["loss"], &history["val_loss"]), (&[3.0; 3][..], &[2.5; 3][..]));
}

#[test]
fn streams_need_not_know_their_length() {
    let batches: [&[f64]; 3] = [&[1.0, 2.0], &[3.0, 4.0], &[5.0, 9.0]];
    for (promised, counted) in [(None, "3/3"), (Some(3), "3/3")] {
        let stream = Batches::new(&batches, promised);
        let (passes, printed) = (Rc::clone(&stream.passes), RefCell::new(vec![]));
        let output = Output::of(Printer(&printed));
        let settings = Loop { verbosity: Verbosity::Lines, output, ..epochs(2) };
        let history = identity().fit(Source::stream(stream), None, settings).unwrap();
        assert_eq!(history["loss"], [4.0, 4.0]);
        assert_eq!(passes.get(), 2);
        let text = String::from_utf8(printed.into_inner()).unwrap();
        assert_eq!(text.matches(counted).count(), 2, "{text}");
    }
}

/// Prints into a list of bytes.
struct Printer<'a>(&'a RefCell<Vec<u8>>);

impl std::io::Write for Printer<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_is_shorter_than_promised_ends_its_epoch() {
    let stream = Batches::new(&[&[1.0, 2.0], &[3.0, 6.0]], Some(5));
    let passes = Rc::clone(&stream.passes);
    let validation = Batches::new(&[&[7.0]], Some(2));
    let validation = Some(Source::stream(validation));
    let history = identity().fit(Source::stream(stream), validation, epochs(3)).unwrap();
    assert_eq!(history["loss"], [3.0; 3]);
    assert_eq!(history["val_loss"], [7.0; 3]);
    assert_eq!(passes.get(), 3);
    let logs = identity().evaluate(Source::stream(Batches::new(&[], Some(2))), Loop::new());
    assert!(logs.unwrap().names().count() == 0, "without batches there are no numbers");
}

#[test]
fn batches_of_other_sizes_get_programs_of_their_own_and_count_by_their_samples() {
    let batches: [&[f64]; 4] = [&[1.0, 2.0], &[3.0, 4.0, 5.0], &[11.0], &[6.0, 8.0]];
    let mut engine = identity();
    let history =
        engine.fit(Source::stream(Batches::new(&batches, None)), None, epochs(2)).unwrap();
    assert_eq!(history["loss"], [5.0, 5.0]);
    assert_eq!(engine.programs(), 3);
    let predictions =
        engine.predict(Source::stream(Batches::new(&batches, None)), Loop::new()).unwrap();
    assert_eq!(predictions.types, [Type::f32([8, 1])]);
}

/// A stream whose second batch is a mistake.
struct Broken(usize);

impl Stream for Broken {
    fn begin(&mut self) -> Result<()> {
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Data<'_>>> {
        self.0 += 1;
        match self.0 {
            1 => Ok(Some(valued(&[1.0, 2.0]))),
            2 => Ok(Some(Data { y: valued(&[1.0]).y, ..valued(&[1.0, 2.0]) })),
            _ => Err(Error::new("the disk is full")),
        }
    }

    fn batches(&self) -> Option<usize> {
        None
    }
}

#[test]
fn mistakes_of_a_stream_end_the_run() {
    let refusal =
        |stream| identity().fit(Source::stream(stream), None, Loop::new()).unwrap_err().message;
    assert_eq!(
        refusal(Broken(0)),
        "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. \
         'x' sizes: 2, 'y' sizes: 1"
    );
    assert_eq!(refusal(Broken(2)), "the disk is full");
}

/// What is done after a step of this number, counted from 1.
type Act<'a> = dyn FnMut(usize, &mut dyn Training) -> Result<()> + 'a;

/// Counts what it is told, and does something after each step.
#[derive(Default)]
struct Watch<'a> {
    granularity: Granularity,
    steps: usize,
    batches: usize,
    after_step: Option<Box<Act<'a>>>,
}

impl Callback for Watch<'_> {
    fn granularity(&self) -> Granularity {
        self.granularity
    }

    fn between_steps(&mut self, training: &mut dyn Training) -> Result<()> {
        self.steps += 1;
        self.after_step.as_mut().map_or(Ok(()), |act| act(self.steps, training))
    }

    fn on_train_batch_end(&mut self, _: usize, _: &Logs, _: &mut dyn Training) -> Result<()> {
        self.batches += 1;
        Ok(())
    }

    fn on_test_batch_end(&mut self, _: usize, _: &Logs, _: &mut dyn Training) -> Result<()> {
        self.batches += 1;
        Ok(())
    }
}

impl<'a> Watch<'a> {
    fn acting(act: impl FnMut(usize, &mut dyn Training) -> Result<()> + 'a) -> Watch<'a> {
        Watch { after_step: Some(Box::new(act)), ..Watch::default() }
    }

    fn listening<'s>(&'s mut self, epochs: usize) -> Loop<'s>
    where
        'a: 's,
    {
        Loop { epochs, callbacks: vec![Box::new(self)], ..Loop::new() }
    }
}

fn five() -> Source<'static> {
    Source::arrays(valued(&[1.0, 2.0, 3.0, 4.0, 5.0]), 2, Shuffle::Off).unwrap()
}

#[test]
fn between_steps_is_called_after_every_step_whatever_the_granularity() {
    for (granularity, batches) in [(Granularity::Epochs, 0), (Granularity::Batches, 2 * 3 + 3)] {
        let mut watch = Watch { granularity, ..Watch::default() };
        let mut engine = identity();
        let settings = Loop { validation_freq: Frequency::After(vec![2]), ..watch.listening(2) };
        engine.fit(five(), Some(five()), settings).unwrap();
        assert_eq!((watch.steps, watch.batches), (2 * 3 + 3, batches));
        engine.predict(five(), watch.listening(1)).unwrap();
        assert_eq!(watch.steps, 12);
    }
    // What it returns ends the run.
    let mut watch = Watch::acting(|_, _| Err(Error::new("interrupted")));
    let error = identity().fit(five(), None, watch.listening(1)).unwrap_err();
    assert_eq!((error.message.as_str(), watch.steps), ("interrupted", 1));
}

#[test]
fn a_callback_stops_what_it_listens_to_but_no_validation() {
    let stop = || {
        Watch::acting(|_, training| {
            training.stop();
            Ok(())
        })
    };
    let (mut engine, mut watch) = (identity(), stop());
    let history = engine.fit(five(), Some(five()), watch.listening(3)).unwrap();
    assert_eq!((&history["loss"], &history["val_loss"]), (&[1.5][..], &[3.0][..]));
    let mut watch = stop();
    assert_eq!(engine.evaluate(five(), watch.listening(1)).unwrap()["loss"], 1.5);
    let mut watch = stop();
    let predictions = engine.predict(five(), watch.listening(1)).unwrap();
    assert_eq!(predictions.types, [Type::f32([2, 1])]);
}

/// `x + noise`, where `noise` is a number that is 0 until someone turns it up.
struct Noisy;

impl Network for Noisy {
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let kernel = cx.weight("kernel", [1, 1], &Weight::new("ones"));
        let y = x[0].dot(kernel);
        match cx.awake("noise", 0.0) {
            true => vec![y + cx.number("noise", 0.0).cast(DType::F32)],
            false => vec![y],
        }
    }
}

#[test]
fn a_number_that_is_woken_in_the_midst_of_a_run_is_seen_by_the_next_step() {
    let mut engine = engine(Noisy, Objective::new(SGD::new().learning_rate(0.0), "mae"));
    engine.build(&[Type::f32([2, 1])], None).unwrap();
    engine.set_value("kernel", &[3.0]).unwrap();
    engine.fit(five(), None, epochs(1)).unwrap();
    let x = engine.graph(&Key::new(Kind::Predict, &valued(&[1.0, 2.0]), 2)).unwrap();
    assert!(!x.to_string().contains("noise"), "what does nothing costs nothing");
    let mut watch = Watch::acting(|step, training| match step {
        1 => training.set_number("noise", 10.0),
        _ => Ok(()),
    });
    let history = engine.fit(five(), None, watch.listening(2)).unwrap();
    // Three times the samples, and ten more for each after the first batch of two.
    assert_eq!(history["loss"], [(3.0 * 15.0 + 3.0 * 10.0) / 5.0, 19.0]);
    assert_eq!(engine.value("kernel"), Ok(vec![3.0]));
    let mut watch = Watch::acting(|step, training| match step {
        1 => training.engine().map_or(Ok(()), |engine| {
            // Whoever lets go of all programs may do so while one of them is in use.
            engine.set_threads(2);
            engine.set_number("noise", 0.0)
        }),
        _ => Ok(()),
    });
    let predictions = engine.predict(five(), watch.listening(1)).unwrap();
    let values: Vec<f32> = predictions.bytes[0]
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_ne_bytes(*bytes))
        .collect();
    assert_eq!(values, [13.0, 16.0, 9.0, 12.0, 15.0]);
}

/// Lets go of all programs when it is shown predictions.
struct Forgetful;

impl Callback for Forgetful {
    fn granularity(&self) -> Granularity {
        Granularity::Batches
    }

    fn on_predict_batch_end(
        &mut self,
        _: usize,
        _: &oxhorn::looping::Predictions,
        training: &mut dyn Training,
    ) -> Result<()> {
        if let Some(engine) = training.engine() {
            engine.set_threads(1);
        }
        Ok(())
    }
}

#[test]
fn predictions_are_kept_before_a_callback_sees_them() {
    let settings = Loop { callbacks: vec![Box::new(Forgetful)], ..Loop::new() };
    let predictions = identity().predict(five(), settings).unwrap();
    assert_eq!(predictions.types, [Type::f32([5, 1])]);
}

fn paths(engine: &Engine, start: &str) -> Vec<String> {
    let variables = engine.variables().into_iter().map(|it| it.path);
    variables.filter(|path| path.starts_with(start)).collect()
}

#[test]
fn another_objective_forgets_the_last_optimizer_but_keeps_the_layers() {
    let arrays = PairData::new();
    let both = || vec![asked("left", Some("mse"), &["mae"]), asked("right", Some("mse"), &[])];
    let mut engine = pair(both());
    let adam = Optimizer::from(Adam::new().learning_rate(0.25));
    engine
        .set_objective(Objective { optimizer: adam, outputs: both(), techniques: vec![] })
        .unwrap();
    engine.on_batch(Kind::Train, whole(arrays.data())).unwrap();
    assert!(paths(&engine, "optimizer/").len() > 1, "{:?}", paths(&engine, ""));
    assert_eq!(engine.learning_rate(), Ok(0.25));
    engine.set_number("optimizer/learning_rate", 0.125).unwrap();
    let kept = engine.value("left/kernel").unwrap();
    assert_ne!(kept, [1.0, 1.0]);
    let outputs = vec![asked("left", None, &[]), asked("right", Some("mae"), &[])];
    let sgd = Optimizer::from(SGD::new().learning_rate(0.5));
    engine.set_objective(Objective { optimizer: sgd, outputs, techniques: vec![] }).unwrap();
    assert!(paths(&engine, "optimizer/").is_empty() && paths(&engine, "metrics/").is_empty());
    assert_eq!(engine.value("left/kernel").unwrap(), kept);
    assert_eq!(engine.learning_rate(), Ok(0.5));
    engine.on_batch(Kind::Train, whole(arrays.data())).unwrap();
    assert_eq!(engine.value("left/kernel").unwrap(), kept, "nothing trains it any more");
    assert_eq!(paths(&engine, "optimizer/"), ["optimizer/iteration"]);
    assert_eq!(engine.value("optimizer/iteration"), Ok(vec![1.0]), "steps are counted anew");
}

/// `x + table`, where the table is not a weight but part of the formula.
struct Shifted;

impl Network for Shifted {
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let table = cx.variable(Variable {
            path: "table".to_owned(),
            ty: Type::f32([3]),
            trainable: false,
            initial: Initial::Given([0.5, -2.0, 16_777_216.0].into()),
            regularizer: None,
            constraint: None,
        });
        let w = cx.weight("kernel", [3], &Weight::new("zeros"));
        vec![x[0] + (table + w).broadcast(x[0].shape())]
    }
}

#[test]
fn a_given_variable_begins_with_its_elements_and_nothing_changes_them() {
    let mut engine = engine(Shifted, Objective::new(SGD::new().learning_rate(1.0), "mse"));
    let (x, y) = (array![[1.0, 2.0, 3.0]], array![[0.0, 0.0, 0.0]]);
    let data = || Data::single((&x).into(), Some((&y).into()), None);
    engine.fit(whole(data()), None, epochs(3)).unwrap();
    assert_eq!(engine.value("table"), Ok(vec![0.5, -2.0, 16_777_216.0]));
    assert_ne!(engine.value("kernel"), Ok(vec![0.0; 3]));
    let table = engine.variables().into_iter().find(|it| it.path == "table").unwrap();
    assert!(!table.needs_seed() && !table.is_weight());
    engine.set_objective(Objective::new("adam", "mae")).unwrap();
    assert_eq!(engine.value("table"), Ok(vec![0.5, -2.0, 16_777_216.0]));
    let error = engine.set_value("table", &[1.0]).unwrap_err();
    assert_eq!(error.message, "`table` is f32[3], which has 3 elements, not 1");
    let error = engine.set_value("chair", &[1.0]).unwrap_err();
    assert_eq!(error.message, "there is no variable `chair`");
}

/// How far integers are above 2²⁴, from where on not every integer is a float.
struct Above;

impl Network for Above {
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let _ = cx.weight("kernel", [1], &Weight::new("zeros"));
        vec![(x[0] - f64::from(1 << 24)).cast(DType::F32)]
    }
}

#[test]
fn integers_reach_programs_as_integers() {
    let beyond = (1 << 24) + 1;
    let (x, zeros) = (array![[beyond]], array![[0_i32]]);
    let mut engine = engine(Above, Objective::new(SGD::new(), "mae"));
    let data = Data::single((&x).into(), Some((&zeros).into()), None);
    assert_eq!(data.x[0].dtype(), DType::I32);
    assert_eq!(engine.evaluate(whole(data), Loop::new()).unwrap()["loss"], 1.0);
    // As targets too, of which losses make floats, as in Keras.
    let loss_of = |y: Samples<'_>| {
        let mut engine = self::engine(Identity, Objective::new(SGD::new(), "mse"));
        let x = array![[0.0]];
        let data = Data::single((&x).into(), Some(y), None);
        engine.evaluate(whole(data), Loop::new()).unwrap()["loss"] as f32
    };
    let target = [beyond];
    let target = Samples::from(&target);
    assert_eq!(target.dtype(), DType::I32);
    assert_eq!(loss_of(target), 2_f32.powi(48));
    // What no `i32` holds is a quantity: (3e9)² and not (2³¹ - 1)².
    let target = [3_000_000_000_i64];
    let target = Samples::from(&target);
    assert_eq!(target.dtype(), DType::F32);
    assert_eq!(loss_of(target), 9e18);
}

#[test]
fn labels_of_every_type_of_integer_mean_the_same() {
    let x = array![[0.5], [1.0], [-0.25]];
    let losses: Vec<f64> = [
        Samples::from(&[0_i32, 0, 0]),
        Samples::from(&[0_i64, 0, 0]),
        Samples::from(&[0_u8, 0, 0]),
        Samples::from(&[false, false, false]),
    ]
    .into_iter()
    .map(|labels| {
        assert_eq!(labels.dtype(), DType::I32);
        let loss = SparseCategoricalCrossentropy::new().from_logits(true);
        let mut engine = engine(Identity, Objective::new(SGD::new(), loss));
        let data = Data::single((&x).into(), Some(labels), None);
        engine.evaluate(whole(data), Loop::new()).unwrap()["loss"]
    })
    .collect();
    assert_eq!(losses, [0.0; 4], "of one class, each is certain");
}

#[test]
fn an_engine_that_grows_keeps_what_it_had() {
    let _guard = seeded(1);
    let mut small = Engine::new(Box::new(Noisy), 1);
    small.build(&[Type::f32([2, 1])], None).unwrap();
    small.set_value("kernel", &[5.0]).unwrap();
    small.set_number("noise", 0.5).unwrap();
    let mut grown = Engine::new(Box::new(Noisy), 1);
    grown.build(&[Type::f32([2, 1])], Some(&small)).unwrap();
    assert_eq!(grown.value("kernel"), Ok(vec![5.0]));
    assert_eq!(grown.numbers(), [("noise".to_owned(), 0.5)]);
    let graph = grown.graph(&Key::new(Kind::Predict, &valued(&[1.0]), 1)).unwrap();
    assert!(graph.to_string().contains("noise"));
}

#[test]
fn techniques_see_all_outputs_that_have_a_loss() {
    let arrays = PairData::new();
    let outputs = || {
        let weighed = Asked { loss_weight: Some(2.0), ..asked("right", Some("mse"), &[]) };
        vec![asked("left", Some("mse"), &["mae"]), weighed]
    };
    let loss = |techniques: Vec<Technique>| {
        let optimizer = Optimizer::from(SGD::new().learning_rate(0.1));
        let mut engine = engine(Pair, Objective { optimizer, outputs: outputs(), techniques });
        engine.on_batch(Kind::Train, whole(arrays.data())).unwrap();
        engine.results().unwrap()
    };
    // Of ones, ‖J‖² is the number of inputs: 2 and 1.
    let technique = JacobianPenalty::new().strength(0.4).projections(None).into();
    let (plain, more) = (loss(vec![]), loss(vec![technique]));
    assert!((more[0].1 - plain[0].1 - 0.2 * 3.0).abs() < 1e-6, "{more:?} {plain:?}");
    assert_eq!(plain[1..], more[1..]);
    let mixed = loss(vec![Mixup::new(1.0).seed(3).into(), SAM::new().into()]);
    assert!(mixed.iter().all(|(_, value)| value.is_finite()), "{mixed:?}");
}
