//! Schedules that Keras lacks: their numbers against closed forms and those of their authors.

use oxhorn_ir::{Array, DType, Type, testing::run};
use oxhorn_nn::schedules::{
    ConstantSchedule, CosineSchedule, CurriculumSchedule, EarlySchedule, Fall, LateSchedule,
    LearningRateSchedule, LinearSchedule,
};

use super::own;
use crate::golden::assert_near;

own! {
    "oxhorn.optimizers.schedules.ConstantSchedule": ConstantSchedule::new(0.3)
        => a_constant_is_the_same_at_all_steps;
    "oxhorn.optimizers.schedules.CosineSchedule": CosineSchedule::new(0.1, 0.5, 8).start(3)
        => a_cosine_goes_from_one_number_to_another;
    "oxhorn.optimizers.schedules.CurriculumSchedule": CurriculumSchedule::new(0.5).gamma(0.01)
        => a_curriculum_keeps_what_its_paper_keeps, a_curriculum_needs_a_direction;
    "oxhorn.optimizers.schedules.EarlySchedule": EarlySchedule::new(0.1, 5).fall(Fall::Constant)
        => an_early_rate_is_that_of_its_authors, an_early_rate_can_fall_at_once,
           rates_are_not_negative;
    "oxhorn.optimizers.schedules.LateSchedule": LateSchedule::new(0.1, 5)
        => a_late_rate_is_that_of_its_authors;
    "oxhorn.optimizers.schedules.LinearSchedule": LinearSchedule::new(0.1, 0.5, 8).start(3)
        => a_line_goes_from_one_number_to_another, a_line_takes_a_step_or_more;
}

/// The numbers at these steps.
fn at(schedule: impl Into<LearningRateSchedule>, steps: &[i64]) -> Vec<f64> {
    let schedule = schedule.into();
    let number = |step: &i64| {
        let step = Array::new([], vec![*step as f64]);
        let ty = Type::new(DType::I64, []);
        let result = run(&[(ty, step)], |_, x| schedule.apply(x[0]));
        assert!(result.shape.is_empty());
        result.scalar()
    };
    steps.iter().map(number).collect()
}

#[track_caller]
fn assert_all_near(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (step, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_near(*got, *expected, &format!("number {step} of {got:?}"));
    }
}

fn message(schedule: impl Into<LearningRateSchedule>) -> String {
    let checked = schedule.into().get().and_then(|schedule| schedule.check());
    checked.expect_err("a mistake").message
}

fn a_constant_is_the_same_at_all_steps() {
    assert_all_near(&at(ConstantSchedule::new(0.25), &[0, 1, 1 << 40]), &[0.25; 3]);
}

fn a_line_goes_from_one_number_to_another() {
    let line = LinearSchedule::new(0.0, 0.5, 5);
    let expected = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5];
    assert_all_near(&at(line, &[0, 1, 2, 3, 4, 5, 1 << 40]), &expected);
    let down = LinearSchedule::new(0.9, 0.1, 4).start(2);
    assert_all_near(&at(down, &[0, 2, 3, 4, 6, 7]), &[0.9, 0.9, 0.7, 0.5, 0.1, 0.1]);
}

fn a_line_takes_a_step_or_more() {
    let expected = "Argument `steps` must be > 0. Received: steps=0";
    assert_eq!(message(LinearSchedule::new(0.0, 0.5, 0)), expected);
    assert_eq!(message(CosineSchedule::new(0.0, 0.5, 0)), expected);
    assert_eq!(message(EarlySchedule::new(0.5, 0)), expected);
}

fn a_cosine_goes_from_one_number_to_another() {
    // cos(π / 3) = 1 / 2
    let wave = CosineSchedule::new(0.0, 0.4, 6).start(1);
    let expected = [0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.4];
    assert_all_near(&at(wave, &[0, 1, 3, 4, 5, 7, 8]), &expected);
}

fn an_early_rate_is_that_of_its_authors() {
    // Theirs is `concatenate(linspace(rate, 0, steps), zeros(..))`, an entry a step.
    let expected = [0.1, 0.075, 0.05, 0.025, 0.0, 0.0, 0.0];
    assert_all_near(&at(EarlySchedule::new(0.1, 5), &[0, 1, 2, 3, 4, 5, 6]), &expected);
    assert_all_near(&at(EarlySchedule::new(0.1, 1), &[0, 1, 2]), &[0.1, 0.0, 0.0]);
    assert_all_near(&at(EarlySchedule::new(0.1, 2), &[0, 1, 2]), &[0.1, 0.0, 0.0]);
}

fn an_early_rate_can_fall_at_once() {
    let early = EarlySchedule::new(0.1, 3).fall(Fall::Constant);
    assert_all_near(&at(early, &[0, 1, 2, 3, 1 << 40]), &[0.1, 0.1, 0.1, 0.0, 0.0]);
}

fn a_late_rate_is_that_of_its_authors() {
    // Theirs is `concatenate(zeros(start), full(.., rate))`, an entry a step.
    assert_all_near(&at(LateSchedule::new(0.4, 3), &[0, 2, 3, 1 << 40]), &[0.0, 0.0, 0.4, 0.4]);
    assert_all_near(&at(LateSchedule::new(0.4, 0), &[0, 1]), &[0.4, 0.4]);
}

fn a_curriculum_keeps_what_its_paper_keeps() {
    let steps = [0, 1, 1000, 7000, 50_000, 1_000_000];
    let (theta, gamma) = (0.5, 1e-4);
    let kept = |t: &i64| (1.0 - theta) * (-gamma * *t as f64).exp() + theta;
    let expected: Vec<f64> = steps.iter().map(|t| 1.0 - kept(t)).collect();
    assert_all_near(&at(CurriculumSchedule::new(0.5), &steps), &expected);
    let left = 1.0 - at(CurriculumSchedule::new(0.9), &[46_000])[0] / 0.9;
    assert!((left - 0.01).abs() < 1e-4, "{left}");
}

fn a_curriculum_needs_a_direction() {
    let still = CurriculumSchedule::new(0.5).gamma(0.0);
    assert_eq!(message(still), "`gamma` must be more than 0, got 0");
}

fn rates_are_not_negative() {
    let expected = "`rate` must be 0 or more, got -0.5";
    assert_eq!(message(EarlySchedule::new(-0.5, 5)), expected);
    assert_eq!(message(LateSchedule::new(-0.5, 5)), expected);
    assert_eq!(message(CurriculumSchedule::new(-0.5)), expected);
}
