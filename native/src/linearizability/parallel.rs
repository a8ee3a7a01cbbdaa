//! Many shards at once: they are independent, so each goes to whichever thread is free.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{search, Found, Model, Shard};

/// Below so many operations another thread costs more than it saves.
const WORTH_A_THREAD: usize = 20_000;
/// How long the first thread sleeps between polls while it waits for others.
const PATIENCE: Duration = Duration::from_millis(2);

struct Stopped;

/// Never fails by itself, and can be stopped.
struct Stoppable<M>(M);

impl<M: Model<Fault = Infallible>> Model for Stoppable<M> {
    type Fault = Stopped;

    #[inline]
    fn step(&mut self, state: u32, form: u32, after: &mut Vec<u32>) -> Result<(), Stopped> {
        self.0.step(state, form, after).map_err(|never| match never {})
    }
}

/// What is found for each shard, in their order, each from the state `start`. `poll` is called now and then, on the calling thread; where it fails,
/// everything stops.
pub fn search_all<M: Model<Fault = Infallible>, E>(
    shards: &[Shard],
    pure: &[bool],
    start: u32,
    make_model: impl Fn() -> M + Sync,
    mut poll: impl FnMut() -> Result<(), E>,
) -> Result<Vec<Found>, E> {
    let operations: usize = shards.iter().map(|shard| shard.form.len()).sum();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(shards.len()).min(1 + operations / WORTH_A_THREAD);
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = |poll: &mut dyn FnMut() -> Result<(), Stopped>| {
        let mut found = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(shard) = shards.get(at) else { break };
            match search(shard, pure, &mut Stoppable(make_model()), &[start], poll) {
                Ok(each) => found.push((at, each)),
                Err(Stopped) => break,
            }
        }
        found
    };
    let mut fault = None;
    let mut found = thread::scope(|scope| {
        let helper = || work(&mut || if stopped.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) });
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(helper)).collect();
        let mut ask = || match poll() {
            Ok(()) => Ok(()),
            Err(error) => {
                fault = Some(error);
                stopped.store(true, Ordering::Relaxed);
                Err(Stopped)
            }
        };
        let mut found = work(&mut ask);
        while !helpers.iter().all(|helper| helper.is_finished()) && ask().is_ok() {
            thread::sleep(PATIENCE);
        }
        for helper in helpers {
            found.extend(helper.join().expect("a search does not panic"));
        }
        found
    });
    if let Some(error) = fault {
        return Err(error);
    }
    found.sort_unstable_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, each)| each).collect())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use super::super::cells::{Deed, Form, Table, ANY, NULL};
    use super::super::{Cells, Found, Shard, NEVER};
    use super::*;

    const WRITE: u32 = 0;
    const READ: u32 = 1;
    const READ_NOTHING: u32 = 2;
    const PENDING_WRITE: u32 = 3;
    const VALUE: u32 = 3;

    fn table() -> Arc<Table> {
        let form = |deed, answer| Form { deed, answer, optional: false };
        let write = Deed::Write { value: VALUE };
        let forms = [(write, NULL), (Deed::Read, VALUE), (Deed::Read, NULL), (write, ANY)];
        Arc::new(Table::new(forms.map(|(deed, answer)| form(deed, answer)).to_vec(), NULL, Vec::new()))
    }

    fn shard(operations: &[(u32, i64, i64)], steps_max: u64) -> Shard {
        Shard {
            form: operations.iter().map(|each| each.0).collect(),
            began: operations.iter().map(|each| each.1).collect(),
            ended: operations.iter().map(|each| each.2).collect(),
            steps_max,
        }
    }

    fn search(shards: &[Shard]) -> Vec<Found> {
        let pure = [false, true, true, false];
        let found = search_all(shards, &pure, NULL, || Cells::new(table()), || Ok::<(), Infallible>(()));
        let Ok(found) = found;
        found
    }

    #[test]
    fn a_read_of_what_was_written_before_it_has_an_order() {
        let found = search(&[shard(&[(WRITE, 0, 1), (READ, 2, 3)], 100)]);
        assert_eq!(found, [Found { order: Some(vec![0, 1]), steps: 3, stuck: None, decided: true, ends: vec![] }]);
    }

    #[test]
    fn a_stale_read_is_stuck_and_a_pending_write_may_explain_it() {
        let stale = search(&[shard(&[(WRITE, 0, 1), (READ_NOTHING, 2, 3)], 100)]);
        assert_eq!((stale[0].stuck, stale[0].decided, &stale[0].ends), (Some(1), true, &vec![VALUE]));
        let late = search(&[shard(&[(PENDING_WRITE, 0, NEVER), (READ_NOTHING, 2, 3), (READ, 4, 5)], 100)]);
        assert_eq!(late[0].order, Some(vec![1, 0, 2]));
    }

    #[test]
    fn a_budget_that_ends_leaves_it_open() {
        let found = search(&[shard(&[(WRITE, 0, 1), (READ, 2, 3)], 2)]);
        assert_eq!((&found[0].order, found[0].steps, found[0].stuck, found[0].decided), (&None, 2, Some(1), false));
    }

    #[test]
    fn more_operations_may_be_open_than_a_word_has_bits() {
        for width in [64, 65, 256, 257, 1000] {
            let wide: Vec<_> = (0..width).map(|at| (if at % 2 == 0 { WRITE } else { READ }, at, width + at)).collect();
            assert_eq!(search(&[shard(&wide, 100_000)])[0].order.as_ref().map(Vec::len), Some(width as usize));
        }
    }

    #[test]
    fn shards_searched_in_parallel_keep_their_order() {
        let long = |read| {
            let operations: Vec<_> =
                (0..5000).map(|at| (if at == 0 { WRITE } else { read }, 2 * at, 2 * at + 1)).collect();
            shard(&operations, 1_000_000)
        };
        let shards: Vec<_> = (0..20).map(|at| long(if at % 3 == 0 { READ_NOTHING } else { READ })).collect();
        let refuted: Vec<_> = search(&shards).iter().map(|found| found.order.is_none()).collect();
        assert_eq!(refuted, (0..20).map(|at| at % 3 == 0).collect::<Vec<_>>());
    }

    #[test]
    fn a_poll_that_fails_stops_everything() {
        let operations: Vec<_> =
            (0..50_000).map(|at| (if at == 0 { WRITE } else { READ }, 2 * at, 2 * at + 1)).collect();
        let shards: Vec<_> = (0..4).map(|_| shard(&operations, 1_000_000)).collect();
        let pure = [false, true, true, false];
        assert_eq!(search_all(&shards, &pure, NULL, || Cells::new(table()), || Err("enough")), Err("enough"));
    }
}
