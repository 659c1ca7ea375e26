//! Jobs done side by side, each by itself.

use std::{
    ops::ControlFlow,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

use crate::Result;

/// How often whoever waits is told that nothing has ended.
const PATIENCE: Duration = Duration::from_millis(100);

/// Does the jobs 0 to `jobs` - 1 in threads of their own, that many at once, and hands over each
/// result as it comes, with the number of its job; `None` now and then while there is none.
///
/// Each thread makes itself what it works with. Jobs are begun in their order; what is handed over
/// may be in another. Once `receive` has had enough, `enough` is true, no job is begun any more and
/// the results of those under way are lost.
///
/// # Errors
///
/// What `receive` returns.
pub(crate) fn side_by_side<W, R: Send>(
    (jobs, workers): (usize, usize),
    enough: &AtomicBool,
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, usize) -> R + Sync,
    mut receive: impl FnMut(Option<(usize, R)>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let (sender, results) = channel();
    thread::scope(|scope| {
        for _ in 0..workers.clamp(1, jobs.max(1)) {
            let (sender, next, worker, work) = (sender.clone(), &next, &worker, &work);
            scope.spawn(move || {
                let mut tools = worker();
                loop {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    if job >= jobs || enough.load(Ordering::Relaxed) {
                        break;
                    }
                    let result = work(&mut tools, job);
                    if sender.send((job, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        loop {
            let received = match results.recv_timeout(PATIENCE) {
                Ok(result) => receive(Some(result)),
                Err(RecvTimeoutError::Timeout) => receive(None),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            if !matches!(received, Ok(ControlFlow::Continue(()))) {
                enough.store(true, Ordering::Relaxed);
                return received.map(|_| ());
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    /// The squares of the numbers below `jobs`, found by so many workers.
    fn squares(jobs: usize, workers: usize) -> Vec<usize> {
        let mut found = vec![None; jobs];
        let enough = AtomicBool::new(false);
        let square = |count: &mut usize, job: usize| {
            *count += 1;
            job * job
        };
        let receive = |result: Option<(usize, usize)>| {
            if let Some((job, square)) = result {
                assert_eq!(found[job].replace(square), None);
            }
            Ok(ControlFlow::Continue(()))
        };
        side_by_side((jobs, workers), &enough, || 0, square, receive).expect("nothing fails");
        found.into_iter().map(|it| it.expect("every job is done")).collect()
    }

    #[test]
    fn every_job_is_done_once_by_however_many() {
        for (jobs, workers) in [(0, 3), (1, 3), (7, 1), (7, 2), (7, 0), (5, 64)] {
            let expected: Vec<usize> = (0..jobs).map(|job| job * job).collect();
            assert_eq!(squares(jobs, workers), expected, "{jobs} jobs, {workers} workers");
        }
    }

    #[test]
    fn nothing_is_begun_once_there_is_enough() {
        for ends in [Ok(ControlFlow::Break(())), Err(Error::new("no more"))] {
            let (enough, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
            let work = |(): &mut (), job: usize| {
                begun.fetch_add(1, Ordering::Relaxed);
                while job > 0 && !enough.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
            };
            let receive = |result: Option<(usize, ())>| match result {
                Some((0, ())) => ends.clone(),
                _ => Ok(ControlFlow::Continue(())),
            };
            let ended = side_by_side((1000, 2), &enough, || (), work, receive);
            assert_eq!(ended.is_err(), ends.is_err());
            assert!(begun.into_inner() <= 3);
        }
    }
}
