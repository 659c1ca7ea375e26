//! What all techniques have in common: where in a step of training each of them steps in.

use oxhorn_ir::{Result, Tensor, ensure};

use super::CLASSES;
use crate::{
    config::{Object, snake_case},
    handle::{Handle, category},
    losses::Loss,
    scope::Scope,
};

/// Something done to a step of training from outside of the network.
///
/// Nothing of it is in the graphs of evaluation and prediction. Every hook does nothing unless it
/// is written; the scope it gets is the technique's own, `techniques/<name>`.
pub trait Intervene: Object {
    /// The numbers that can be turned while a model trains.
    fn numbers(&self) -> Vec<Strength> {
        vec![]
    }

    /// Rejects what is wrong with other settings, whatever the data.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Whether the technique mixes samples, which can be done once.
    fn blends(&self) -> Blends {
        Blends::Nothing
    }

    /// What the network is given in place of the inputs `x`, whose first axis counts samples.
    fn feed<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Option<Fed<'g>> {
        let _ = (cx, x);
        None
    }

    /// How often each sample goes through the network, all of them at once.
    fn passes(&self) -> usize {
        1
    }

    /// What is added to the loss, a scalar.
    fn penalty<'g>(&self, cx: &Scope<'g>, seen: &Seen<'_, 'g>) -> Option<Tensor<'g>> {
        let _ = (cx, seen);
        None
    }

    /// The weights at which the gradients are taken in place of `weights`, whose gradients are
    /// these: the network is then called once more, and only its gradients count.
    fn detour<'g>(
        &self,
        cx: &Scope<'g>,
        weights: &[Tensor<'g>],
        gradients: &[Tensor<'g>],
    ) -> Option<Vec<Tensor<'g>>> {
        let _ = (cx, weights, gradients);
        None
    }

    /// What is added to each gradient.
    fn noise<'g>(&self, cx: &Scope<'g>, gradients: &[Tensor<'g>]) -> Option<Vec<Tensor<'g>>> {
        let _ = (cx, gradients);
        None
    }

    /// Which epochs' weights are averaged, if the model is to end with an average.
    fn averages(&self) -> Option<Averages> {
        None
    }
}

/// A number of a technique that can be turned while a model trains: from 0 to some limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strength {
    /// Its name among the technique's settings.
    pub name: &'static str,
    /// What it is configured as.
    pub value: f64,
    /// The greatest value it can have.
    pub most: f64,
    /// What becomes of the technique at 0.
    pub at_zero: AtZero,
}

/// What becomes of a technique one of whose numbers is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtZero {
    /// It does nothing, and stays out of the graph until the number is turned up.
    Absent,
    /// It does something all the same.
    Present,
}

/// Whether a technique mixes samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blends {
    /// Each sample stays by itself.
    Nothing,
    /// Each sample is mixed with another.
    Samples,
}

/// What a network is given.
pub struct Fed<'g> {
    /// Its inputs.
    pub x: Vec<Tensor<'g>>,
    /// How samples are mixed, if they are.
    pub blend: Option<Blend<'g>>,
}

/// How the samples of a batch are mixed, each with one other.
///
/// The loss is `share · L(own target) + (1 - share) · L(the other's target)`, which is the loss of
/// the mixed target wherever a loss is linear in its target, and needs no target to be a
/// probability.
#[derive(Clone, Copy)]
pub struct Blend<'g> {
    /// How much of a sample is its own: a scalar of type `f32`.
    pub share: Tensor<'g>,
    /// With which sample each is mixed: a permutation, of type `i32[samples]`.
    pub partner: Tensor<'g>,
}

/// What a network has made of a batch.
pub struct Seen<'a, 'g> {
    /// What it was given: where there are several passes, one after the other.
    pub x: &'a [Tensor<'g>],
    /// What it gave, of outputs that have a loss.
    pub outputs: &'a [Output<'a, 'g>],
}

/// One output of a network.
pub struct Output<'a, 'g> {
    /// Its name; empty where there is only one.
    pub name: &'a str,
    /// What is made small for it.
    pub loss: &'a Loss,
    /// What that is multiplied with in the sum.
    pub loss_weight: f64,
    /// What is true.
    pub y_true: Tensor<'g>,
    /// What samples weigh.
    pub sample_weight: Option<Tensor<'g>>,
    /// For each pass what is predicted, and which positions count if not all do.
    pub passes: Vec<(Tensor<'g>, Option<Tensor<'g>>)>,
}

/// Which epochs' weights are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Averages {
    /// The first of them, counted from 0.
    pub start_epoch: usize,
    /// After how many epochs the next follows.
    pub frequency: usize,
}

impl Averages {
    /// Whether the weights after this epoch, counted from 0, are among them.
    pub fn has(self, epoch: usize) -> bool {
        let since = epoch.checked_sub(self.start_epoch);
        since.is_some_and(|since| since.is_multiple_of(self.frequency))
    }
}

impl Strength {
    /// A number without limit, at 0 of which the technique does nothing.
    pub fn new(name: &'static str, value: f64) -> Strength {
        Strength { name, value, most: f64::INFINITY, at_zero: AtZero::Absent }
    }

    /// Limits the number.
    #[must_use]
    pub fn up_to(self, most: f64) -> Strength {
        Strength { most, ..self }
    }

    /// Lets the technique do something at 0.
    #[must_use]
    pub fn present_at_zero(self) -> Strength {
        Strength { at_zero: AtZero::Present, ..self }
    }

    /// Rejects a value that the number of this technique cannot have.
    fn check(&self, technique: &str, value: f64) -> Result<()> {
        let range = match self.most.is_finite() {
            true => format!("from 0 to {}", self.most),
            false => "of 0 or more".to_owned(),
        };
        let name = self.name;
        ensure!(
            value.is_finite() && (0.0..=self.most).contains(&value),
            "`{name}` of `{technique}` must be a number {range}, got {value}"
        );
        Ok(())
    }
}

/// A technique, or its name.
pub type Technique = Handle<dyn Intervene>;

category!(Intervene, "technique", CLASSES);

/// The scope of all techniques.
const SCOPE: &str = "techniques";

impl Technique {
    /// Rejects names that name nothing, and settings that no data could make right.
    ///
    /// # Errors
    ///
    /// Naming the setting, its range, and what was received.
    pub fn check(&self) -> Result<()> {
        let technique = self.get()?;
        let class = technique.class_name();
        technique.numbers().iter().try_for_each(|it| it.check(class, it.value))?;
        technique.check()
    }

    /// The technique's own scope; `cx` is the outermost.
    ///
    /// # Errors
    ///
    /// If it was given by a string that names none.
    pub fn scope<'g>(&self, cx: &Scope<'g>) -> Result<Scope<'g>> {
        Ok(cx.child(SCOPE).child(&snake_case(self.get()?.class_name())))
    }

    /// Declares the technique's numbers; whether it has anything to do in this trace, for all of
    /// them have been something else than 0. `cx` is the outermost scope.
    ///
    /// # Errors
    ///
    /// As [`Technique::scope`].
    pub fn is_awake(&self, cx: &Scope<'_>) -> Result<bool> {
        let own = self.scope(cx)?;
        let asleep = |it: &Strength| match it.at_zero {
            AtZero::Absent => !own.awake(it.name, it.value),
            AtZero::Present => {
                own.number(it.name, it.value);
                false
            }
        };
        // Each of them is declared, whatever the others are.
        Ok(self.get()?.numbers().iter().filter(|it| asleep(it)).count() == 0)
    }

    /// Rejects a value that the number at this path cannot have, if it is one of the technique's.
    ///
    /// # Errors
    ///
    /// Naming the range.
    pub fn check_number(&self, path: &str, value: f64) -> Result<()> {
        let technique = self.get()?;
        let class = technique.class_name();
        let own = format!("{SCOPE}/{}/", snake_case(class));
        let name = path.strip_prefix(&own);
        let number = technique.numbers().into_iter().find(|it| Some(it.name) == name);
        number.map_or(Ok(()), |number| number.check(class, value))
    }
}

/// Rejects techniques that cannot be used together.
///
/// # Errors
///
/// Naming them.
pub fn check_together(techniques: &[Technique]) -> Result<()> {
    let mut before: Vec<&dyn Intervene> = vec![];
    for technique in techniques {
        let this = technique.get()?;
        let class = this.class_name();
        ensure!(
            before.iter().all(|it| it.class_name() != class),
            "the technique `{class}` is given twice";
            help: "its numbers and random streams are found by its name, so there can be only one"
        );
        let blends = |it: &&&dyn Intervene| it.blends() == Blends::Samples;
        if let Some(other) = before.iter().find(blends).filter(|_| blends(&&this)) {
            let other = other.class_name();
            return Err(oxhorn_ir::Error::new(format!(
                "`{other}` and `{class}` both mix the samples of a batch"
            ))
            .help(
                "samples are mixed once, for each has two targets afterwards: give one of them",
            ));
        }
        before.push(this);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::techniques::{CutMix, Cutout, Mixup};

    fn mistake(techniques: &[Technique]) -> String {
        check_together(techniques).expect_err("a mistake").to_string()
    }

    #[test]
    fn samples_are_mixed_once() {
        assert_eq!(
            mistake(&[Mixup::new(0.2).into(), Cutout::new(3).into(), CutMix::new().into()]),
            "`Mixup` and `CutMix` both mix the samples of a batch\n  help: samples are mixed once, \
             for each has two targets afterwards: give one of them"
        );
        let twice = mistake(&[Mixup::new(0.2).into(), Mixup::new(0.4).into()]);
        assert!(twice.starts_with("the technique `Mixup` is given twice"), "{twice}");
        assert_eq!(check_together(&[Mixup::new(0.2).into(), Cutout::new(3).into()]), Ok(()));
    }

    #[test]
    fn numbers_out_of_their_range_are_refused_with_the_range() {
        let message = |technique: Technique| technique.check().expect_err("a mistake").message;
        assert_eq!(
            message(Mixup::new(-0.5).into()),
            "`alpha` of `Mixup` must be a number of 0 or more, got -0.5"
        );
        assert!(message(Mixup::new(f64::NAN).into()).ends_with("got NaN"));
        assert_eq!(
            message(CutMix::new().probability(1.5).into()),
            "`probability` of `CutMix` must be a number from 0 to 1, got 1.5"
        );
        let technique = Technique::from(CutMix::new());
        let turned = |path: &str, value| technique.check_number(path, value);
        assert!(turned("techniques/cut_mix/probability", 1.5).is_err());
        assert_eq!(turned("techniques/cut_mix/alpha", 1.5), Ok(()));
        assert_eq!(turned("techniques/mixup/alpha", -1.0), Ok(()), "that of another");
    }

    #[test]
    fn averages_are_of_every_so_many_epochs() {
        let averages = Averages { start_epoch: 2, frequency: 3 };
        let epochs: Vec<usize> = (0..10).filter(|&epoch| averages.has(epoch)).collect();
        assert_eq!(epochs, [2, 5, 8]);
    }
}
