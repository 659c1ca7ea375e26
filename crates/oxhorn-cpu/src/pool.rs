//! A few threads that wait for short work by spinning, and for longer silence by sleeping.
//!
//! A step of training is many pieces of work of a few microseconds, too short to wake a sleeping
//! thread for. So a worker looks out for work for a while before it sleeps, tasks are claimed one
//! at a time, and the caller claims them as well: a worker that comes late, or not at all, costs
//! nothing.

use std::any::Any;
use std::cell::UnsafeCell;
use std::hint;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a worker looks out for work before it sleeps.
const PATIENCE: Duration = Duration::from_micros(150);

/// How often a waiting thread looks before it looks at the clock.
const LOOKS: u32 = 128;

/// A task's number and that of the thread it runs on.
type Task<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// Threads that run the tasks of one caller.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<Worker>,
}

struct Worker {
    thread: Option<JoinHandle<()>>,
    handle: Thread,
}

/// What the caller and the workers share.
struct Shared {
    /// [`OPEN`], [`CLOSING`], how many workers are inside the job, and the number of the job. A
    /// worker enters by raising the count in the same stroke by which it sees that the job is open,
    /// so that the caller knows whom to wait for.
    state: AtomicU64,
    /// The next task to claim; at or beyond the number of tasks, none is left.
    next: AtomicUsize,
    /// Written by the caller while the job is closed and nobody is inside.
    job: UnsafeCell<Option<Job>>,
    /// Whether worker `i` sleeps, or is about to.
    asleep: Vec<AtomicBool>,
    /// How many workers have come to life.
    started: AtomicUsize,
    /// What the first panic said.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// Tasks `0..tasks` of a closure that outlives the job.
#[derive(Clone, Copy)]
struct Job {
    task: *const Task<'static>,
    tasks: usize,
}

// SAFETY: `job` is written only while no worker is inside, and read only from inside; the closure
// it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

/// There may be tasks left to claim.
const OPEN: u64 = 1 << 63;
/// The pool is being dropped.
const CLOSING: u64 = 1 << 62;
/// One worker inside the job.
const INSIDE: u64 = 1 << 32;
/// All workers inside the job.
const COUNT: u64 = CLOSING - INSIDE;
/// The number of the job.
const NUMBER: u64 = INSIDE - 1;

impl Pool {
    /// A pool of `threads` threads, the caller among them: 0 and 1 make no other. If the system
    /// refuses to start as many, the pool is smaller; see [`Pool::threads`].
    pub fn new(threads: usize) -> Pool {
        let wanted = threads.saturating_sub(1);
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            next: AtomicUsize::new(0),
            job: UnsafeCell::new(None),
            asleep: (0..wanted).map(|_| AtomicBool::new(false)).collect(),
            started: AtomicUsize::new(0),
            panic: Mutex::new(None),
        });
        let start = |index: usize| {
            let shared = Arc::clone(&shared);
            let name = format!("oxhorn-{}", index + 1);
            let thread =
                thread::Builder::new().name(name).spawn(move || shared.work(index)).ok()?;
            Some(Worker { handle: thread.thread().clone(), thread: Some(thread) })
        };
        let workers: Vec<Worker> = (0..wanted).map_while(start).collect();
        // A thread allocates when it comes to life, which is not to happen in the midst of a step.
        while shared.started.load(Ordering::Relaxed) < workers.len() {
            thread::yield_now();
        }
        Pool { shared, workers }
    }

    /// Threads that run tasks, the caller among them.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `task(i, thread)` for every `i` in `0..tasks`, in any order and on any thread, and
    /// returns when all are done. `thread` is below [`Pool::threads`], 0 for the caller, and no two
    /// tasks run with the same number at once: it names a part of scratch memory.
    ///
    /// # Panics
    /// If a task panics, with what it said, after the tasks that had begun are done; others may
    /// have been left out.
    pub fn run(&mut self, tasks: usize, task: &(dyn Fn(usize, usize) + Sync)) {
        if tasks <= 1 || self.workers.is_empty() {
            (0..tasks).for_each(|i| task(i, 0));
            return;
        }
        self.open(Job { task: erase(task), tasks });
        self.shared.claim(Job { task: erase(task), tasks }, 0);
        self.close();
        let panic = self.shared.panic.lock().unwrap_or_else(|lock| lock.into_inner()).take();
        if let Some(panic) = panic {
            panic::resume_unwind(panic);
        }
    }

    /// Lets workers in, and wakes those that sleep.
    fn open(&self, job: Job) {
        let shared = &*self.shared;
        // SAFETY: the job is closed and nobody is inside, for `run` has the pool to itself and
        // `close` has waited.
        unsafe { *shared.job.get() = Some(job) };
        shared.next.store(0, Ordering::Relaxed);
        let number = shared.state.load(Ordering::Relaxed).wrapping_add(1) & NUMBER;
        // Either a worker that falls asleep sees this, or we see that it does.
        shared.state.store(OPEN | number, Ordering::SeqCst);
        for (worker, asleep) in self.workers.iter().zip(&shared.asleep).take(job.tasks - 1) {
            if asleep.load(Ordering::SeqCst) && asleep.swap(false, Ordering::SeqCst) {
                worker.handle.unpark();
            }
        }
    }

    /// Lets nobody in any more, and waits for those inside.
    fn close(&self) {
        let state = &self.shared.state;
        let mut looks = 0u32;
        let mut now = state.fetch_and(!OPEN, Ordering::AcqRel);
        while now & COUNT != 0 {
            looks = looks.wrapping_add(1);
            // On a machine with too few cores, the worker may need ours.
            if looks.is_multiple_of(100 * LOOKS) {
                thread::yield_now()
            } else {
                hint::spin_loop()
            }
            now = state.load(Ordering::Acquire);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.state.fetch_or(CLOSING, Ordering::SeqCst);
        for worker in &mut self.workers {
            worker.handle.unpark();
            if let Some(thread) = worker.thread.take() {
                // Panics of tasks have been passed on already, and workers have none of their own.
                let _ = thread.join();
            }
        }
    }
}

impl Shared {
    /// The life of worker `index`.
    fn work(&self, index: usize) {
        self.started.fetch_add(1, Ordering::Relaxed);
        let mut last = 0;
        while let Some(state) = self.wait(index, last) {
            // Fails where another thread came or went meanwhile; then we look again.
            let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
            if self.state.compare_exchange(state, state + INSIDE, success, failure).is_err() {
                continue;
            }
            // SAFETY: the job is open and we are inside, so the caller leaves it alone.
            if let Some(job) = unsafe { *self.job.get() } {
                self.claim(job, index + 1);
            }
            self.state.fetch_sub(INSIDE, Ordering::Release);
            last = state & NUMBER;
        }
    }

    /// Waits for a job other than the `last` to be open; `None` if the pool is being dropped.
    fn wait(&self, index: usize, last: u64) -> Option<u64> {
        loop {
            let since = Instant::now();
            while since.elapsed() < PATIENCE {
                for _ in 0..LOOKS {
                    let state = self.state.load(Ordering::Acquire);
                    if state & CLOSING != 0 {
                        return None;
                    }
                    if state & OPEN != 0 && state & NUMBER != last {
                        return Some(state);
                    }
                    hint::spin_loop();
                }
            }
            self.asleep[index].store(true, Ordering::SeqCst);
            let state = self.state.load(Ordering::SeqCst);
            let news = state & CLOSING != 0 || (state & OPEN != 0 && state & NUMBER != last);
            if !news {
                thread::park();
            }
            self.asleep[index].store(false, Ordering::SeqCst);
        }
    }

    /// Runs tasks until none is left to claim.
    fn claim(&self, job: Job, thread: usize) {
        loop {
            let i = self.next.fetch_add(1, Ordering::Relaxed);
            if i >= job.tasks {
                return;
            }
            // SAFETY: `Pool::run` does not return before we are done, so the closure is alive.
            let task = unsafe { &*job.task };
            if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| task(i, thread))) {
                self.next.store(job.tasks, Ordering::Relaxed);
                let mut first = self.panic.lock().unwrap_or_else(|lock| lock.into_inner());
                first.get_or_insert(panic);
            }
        }
    }
}

/// Forgets how long the closure lives. Nobody may call it after [`Pool::run`] has returned.
fn erase<'a>(task: &'a Task<'a>) -> *const Task<'static> {
    let task: *const Task<'a> = task;
    // SAFETY: the two differ in a lifetime alone, and a pointer may outlive what it points to.
    unsafe { std::mem::transmute::<*const Task<'a>, *const Task<'static>>(task) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each task ran.
    fn count(pool: &mut Pool, tasks: usize) -> Vec<usize> {
        let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
        pool.run(tasks, &|i, _| {
            counts[i].fetch_add(1, Ordering::Relaxed);
        });
        counts.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn runs_every_task_once() {
        for threads in [0, 1, 2, 3, 5] {
            let mut pool = Pool::new(threads);
            assert_eq!(pool.threads(), threads.max(1));
            for tasks in [0, 1, 2, 3, 17, 1000] {
                assert_eq!(count(&mut pool, tasks), vec![1; tasks], "{threads} threads");
            }
        }
    }

    #[test]
    fn sees_what_tasks_wrote_after_many_short_runs() {
        let mut pool = Pool::new(4);
        let mut values = [0usize; 7];
        for round in 0..20_000 {
            let base = values.as_mut_ptr() as usize;
            pool.run(values.len(), &|i, _| {
                // SAFETY: every task has an element of its own.
                unsafe { *(base as *mut usize).add(i) += i + 1 };
            });
            if round % 1000 == 0 {
                thread::sleep(Duration::from_micros(200));
            }
        }
        assert_eq!(values, [20_000, 40_000, 60_000, 80_000, 100_000, 120_000, 140_000]);
    }

    #[test]
    fn no_two_tasks_share_the_number_of_a_thread_at_once() {
        let mut pool = Pool::new(3);
        let busy: Vec<AtomicBool> = (0..pool.threads()).map(|_| AtomicBool::new(false)).collect();
        for _ in 0..200 {
            pool.run(30, &|_, thread| {
                assert!(!busy[thread].swap(true, Ordering::SeqCst));
                hint::spin_loop();
                busy[thread].store(false, Ordering::SeqCst);
            });
        }
    }

    #[test]
    fn other_threads_take_part_even_after_they_slept() {
        let mut pool = Pool::new(2);
        for _ in 0..3 {
            thread::sleep(PATIENCE * 20);
            let arrived = AtomicBool::new(false);
            // The caller's task ends only once another thread runs the other one.
            pool.run(2, &|_, thread| match thread {
                0 => {
                    while !arrived.load(Ordering::Acquire) {
                        thread::yield_now();
                    }
                }
                _ => arrived.store(true, Ordering::Release),
            });
        }
    }

    #[test]
    fn is_dropped_while_its_threads_sleep_and_while_they_look_out() {
        for pause in [Duration::ZERO, PATIENCE * 20] {
            for _ in 0..20 {
                let mut pool = Pool::new(3);
                assert_eq!(count(&mut pool, 5), [1; 5]);
                thread::sleep(pause);
            }
        }
    }

    #[test]
    fn passes_a_panic_on_and_can_be_used_again() {
        let mut pool = Pool::new(3);
        for tasks in [1, 2, 40] {
            let panic = panic::catch_unwind(AssertUnwindSafe(|| {
                pool.run(tasks, &|i, _| assert!(i != tasks / 2, "task {i} failed"));
            }));
            let message = panic.unwrap_err().downcast::<String>().expect("a message");
            assert_eq!(*message, format!("task {} failed", tasks / 2));
            assert_eq!(count(&mut pool, 9), [1; 9]);
        }
    }

    #[test]
    fn passes_on_one_of_many_panics() {
        let mut pool = Pool::new(4);
        for _ in 0..50 {
            let panic = panic::catch_unwind(AssertUnwindSafe(|| {
                pool.run(100, &|_, _| panic::panic_any(7u8));
            }));
            assert_eq!(panic.unwrap_err().downcast_ref(), Some(&7u8));
        }
        assert_eq!(count(&mut pool, 9), [1; 9]);
    }
}
