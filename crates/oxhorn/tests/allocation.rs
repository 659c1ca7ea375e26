//! Proof that a step of training allocates nothing: every allocation of the process is counted.

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use oxhorn::prelude::*;
use support::{samples, seeded, tutorial};

/// The system's allocator, and how often it was asked for memory, on any thread.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    work();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

/// How many allocations an epoch of 1000 steps makes beyond those of an epoch of 10 steps.
///
/// The allocations of the whole process are counted, so this file has a single test.
fn excess(model: &mut Sequential, fit: impl Fn() -> Fit<'static>) -> usize {
    let (short, long) = (samples(10 * 8), samples(1000 * 8));
    let mut train = |(x, y): &(_, _)| {
        // The first fit compiles the programs.
        model.fit(x, y, fit()).unwrap();
        allocations(|| drop(model.fit(x, y, fit()).unwrap()))
    };
    let short = train(&short);
    let long = train(&long);
    assert!(short > 0, "the allocator does not count");
    long.abs_diff(short)
}

fn compiled(threads: usize, optimizer: &str, metrics: &[&str]) -> Sequential {
    let mut model = tutorial(threads);
    model.compile(optimizer, "categorical_crossentropy", metrics.iter().copied()).unwrap();
    model
}

#[test]
fn a_step_of_training_validation_or_evaluation_allocates_nothing() {
    let _guard = seeded(812);
    let plain = || Fit::epochs(1).batch_size(8).verbose(0);
    for threads in [1, 2] {
        let adam = &mut compiled(threads, "adam", &["accuracy"]);
        assert_eq!(excess(adam, plain), 0, "Adam, {threads} threads");
        let sgd = &mut compiled(threads, "sgd", &["mse", "top_k_categorical_accuracy"]);
        assert_eq!(excess(sgd, || plain().shuffle(false)), 0, "SGD, {threads} threads");
        let weighed = || plain().class_weight([(1, 2.0)]);
        assert_eq!(excess(adam, weighed), 0, "with weights, {threads} threads");
        let split = || plain().validation_split(0.5);
        assert_eq!(excess(adam, split), 0, "with validation, {threads} threads");

        // A number that is turned compiles nothing anew.
        let (x, y) = samples(40);
        let mut train = || allocations(|| drop(adam.fit(&x, &y, plain()).unwrap()));
        let [_, before] = [train(), train()];
        adam.set_number("dropout/rate", 0.1 * threads as f64).unwrap();
        adam.set_number("optimizer/learning_rate", 0.01).unwrap();
        let after = allocations(|| drop(adam.fit(&x, &y, plain()).unwrap()));
        assert_eq!(before, after, "after numbers were turned, {threads} threads");

        let loss = Compile::new("adam", "categorical_crossentropy").metrics(["accuracy"]);
        let techniques = loss
            .technique(CutMix::new().image_shape([5, 5]))
            .technique(Cutout::new(2).image_shape([5, 5]))
            .technique(RDrop::new())
            .technique(SAM::new())
            .technique(GradientNoise::new())
            .technique(JacobianPenalty::new());
        let regularized = &mut tutorial(threads);
        regularized.compile_with(techniques).unwrap();
        assert_eq!(excess(regularized, plain), 0, "with techniques, {threads} threads");

        let [short, long] = [80, 8000].map(|n| evaluation(adam, n));
        assert_eq!(short, long, "evaluation, {threads} threads");
    }
}

/// How many allocations an evaluation of `n` samples makes, the first of which compiled.
fn evaluation(model: &mut Sequential, n: usize) -> usize {
    let (x, y) = samples(n);
    let mut evaluate = || {
        let evaluate = Evaluate::new().batch_size(8).verbose(0);
        drop(model.evaluate_with(&x, &y, evaluate).unwrap());
    };
    evaluate();
    allocations(evaluate)
}
