//! The search itself: depth first, over configurations.

use super::bits::Bits;
use super::used::{Used, NONE_USED};
use super::visited::Visited;
use super::window::Window;
use super::{Found, Model, Shard};

/// Levels passed without a choice are remembered this rarely.
const REMEMBER_EVERY: usize = 16;
/// So many configurations are looked at before the caller is asked whether to go on.
const POLL_EVERY: u64 = 1 << 12;
/// No pending operation has to prove useful.
const NOTHING: u32 = u32::MAX;

/// Look for a linearization from any of the states `starts`; `pure` says by form what changes no state, `poll` is asked now
/// and then whether to go on.
pub fn search<M: Model>(
    shard: &Shard,
    pure: &[bool],
    model: &mut M,
    starts: &[u32],
    poll: &mut dyn FnMut() -> Result<(), M::Fault>,
) -> Result<Found, M::Fault> {
    let window = Window::new(shard);
    match window.width {
        0..=64 => Search::<[u64; 1], M>::new(window, pure, model, poll).run(starts, shard.steps_max),
        65..=256 => Search::<[u64; 4], M>::new(window, pure, model, poll).run(starts, shard.steps_max),
        _ => Search::<Box<[u64]>, M>::new(window, pure, model, poll).run(starts, shard.steps_max),
    }
}

/// Where a search stands. `before` is the state before the last operation where that was a pending one that still has to
/// prove useful, else NOTHING.
#[derive(Clone)]
struct Configuration<B> {
    level: usize,
    done: B,
    used: u32,
    state: u32,
    before: u32,
}

/// A configuration in which something must be chosen, and what was chosen already.
struct Frame<B> {
    at: Configuration<B>,
    trail: usize,
    candidate: usize,
    outcome: usize,
}

type Key<B> = (u32, B, u32, u32);

struct Search<'a, B, M: Model> {
    window: Window,
    pure: &'a [bool],
    model: &'a mut M,
    poll: &'a mut dyn FnMut() -> Result<(), M::Fault>,
    used: Used,
    visited: Visited<Key<B>>,
    trail: Vec<u32>,
    after: Vec<u32>,
    without: Vec<u32>,
    steps: u64,
    deepest: usize,
    /// The states in which configurations had to choose at the deepest level.
    ends: Vec<u32>,
}

/// What comes of going on from a configuration.
enum Advance<B> {
    Choose(Configuration<B>),
    SeenBefore,
    Finished,
    OutOfSteps,
}

impl<'a, B: Bits, M: Model> Search<'a, B, M> {
    fn new(
        window: Window,
        pure: &'a [bool],
        model: &'a mut M,
        poll: &'a mut dyn FnMut() -> Result<(), M::Fault>,
    ) -> Self {
        Search {
            window,
            pure,
            model,
            poll,
            used: Used::new(),
            visited: Visited::new(),
            trail: Vec::new(),
            after: Vec::new(),
            without: Vec::new(),
            steps: 0,
            deepest: 0,
            ends: Vec::new(),
        }
    }

    fn run(mut self, starts: &[u32], steps_max: u64) -> Result<Found, M::Fault> {
        for &state in starts {
            let done = B::empty(self.window.width);
            let root = Configuration { level: 0, done, used: NONE_USED, state, before: NOTHING };
            if let Some(found) = self.walk(root, steps_max)? {
                return Ok(found);
            }
        }
        Ok(self.not_found(true))
    }

    /// Depth first; None where everything was looked at in vain.
    fn walk(&mut self, root: Configuration<B>, steps_max: u64) -> Result<Option<Found>, M::Fault> {
        let mut frames: Vec<Frame<B>> = Vec::new();
        let mut next = Some(root);
        self.trail.clear();
        loop {
            if let Some(configuration) = next {
                match self.advance(configuration, steps_max)? {
                    Advance::Choose(at) => frames.push(Frame { at, trail: self.trail.len(), candidate: 0, outcome: 0 }),
                    Advance::SeenBefore => {}
                    Advance::Finished => return Ok(Some(self.found())),
                    Advance::OutOfSteps => return Ok(Some(self.not_found(false))),
                }
            }
            let Some(frame) = frames.last_mut() else { return Ok(None) };
            self.trail.truncate(frame.trail);
            next = self.choose(frame)?;
            if next.is_none() {
                frames.pop();
            }
        }
    }

    fn found(&mut self) -> Found {
        let order = Some(std::mem::take(&mut self.trail));
        Found { order, steps: self.steps, stuck: None, decided: true, ends: Vec::new() }
    }

    fn not_found(&mut self, decided: bool) -> Found {
        let mut ends = std::mem::take(&mut self.ends);
        ends.sort_unstable();
        ends.dedup();
        Found { order: None, steps: self.steps, stuck: Some(self.window.operation[self.deepest]), decided, ends }
    }

    /// Go on while there is nothing to choose.
    fn advance(&mut self, mut at: Configuration<B>, steps_max: u64) -> Result<Advance<B>, M::Fault> {
        while at.level < self.window.levels() {
            if at.level > self.deepest {
                self.deepest = at.level;
                self.ends.clear();
            }
            if self.steps == steps_max {
                return Ok(Advance::OutOfSteps);
            }
            self.steps += 1;
            if self.steps % POLL_EVERY == 0 {
                (self.poll)()?;
            }
            self.window.seek(at.level);
            self.close(&mut at)?;
            let due = self.window.slot[at.level] as usize;
            let must_choose = !at.done.has(due);
            if (must_choose || at.level % REMEMBER_EVERY == 0) && self.seen(&at) {
                return Ok(Advance::SeenBefore);
            }
            if must_choose {
                if at.level == self.deepest {
                    self.ends.push(at.state);
                }
                return Ok(Advance::Choose(at));
            }
            at.done.remove(due);
            at.level += 1;
            at.before = NOTHING;
        }
        Ok(Advance::Finished)
    }

    /// Let every pure operation take effect that can.
    fn close(&mut self, at: &mut Configuration<B>) -> Result<(), M::Fault> {
        let mut number = 0;
        while let Some(rank) = self.window.open(number) {
            number += 1;
            let (form, slot) = (self.window.form[rank as usize], self.window.slot[rank as usize] as usize);
            if !self.pure[form as usize] || at.done.has(slot) {
                continue;
            }
            self.after.clear();
            self.model.step(at.state, form, &mut self.after)?;
            if !self.after.is_empty() {
                at.done.insert(slot);
                at.before = NOTHING;
                self.trail.push(self.window.operation[rank as usize]);
            }
        }
        Ok(())
    }

    /// Whether a configuration was seen that can do as much; if not, remember this one.
    fn seen(&mut self, at: &Configuration<B>) -> bool {
        let key = |before| (at.level as u32, at.done.clone(), at.state, before);
        if self.visited.covers(&key(NOTHING), at.used, &self.used) {
            return true;
        }
        if at.before != NOTHING && self.visited.covers(&key(at.before), at.used, &self.used) {
            return true;
        }
        self.visited.remember(key(at.before), at.used, &self.used);
        false
    }

    /// The next configuration that one more operation leads to: complete ones first, by completion, then pending ones.
    fn choose(&mut self, frame: &mut Frame<B>) -> Result<Option<Configuration<B>>, M::Fault> {
        self.window.seek(frame.at.level);
        while let Some(rank) = self.window.open(frame.candidate) {
            let form = self.window.form[rank as usize];
            if self.may_go(&frame.at, rank, frame.candidate) {
                if let Some(state) = self.next_state(frame, form)? {
                    let mut to = Configuration { state, before: NOTHING, ..frame.at.clone() };
                    to.done.insert(self.window.slot[rank as usize] as usize);
                    self.trail.push(self.window.operation[rank as usize]);
                    return Ok(Some(to));
                }
            }
            frame.candidate += 1;
            frame.outcome = 0;
        }
        self.choose_pending(frame)
    }

    fn choose_pending(&mut self, frame: &mut Frame<B>) -> Result<Option<Configuration<B>>, M::Fault> {
        let complete = self.window.open_count();
        while frame.candidate - complete < self.window.pending.len() {
            let pending = &self.window.pending[frame.candidate - complete];
            let form = pending.form;
            let count = self.used.count(frame.at.used, form);
            if count < self.window.available(pending) {
                let operation = pending.operations[count];
                while let Some(state) = self.next_state(frame, form)? {
                    if state != frame.at.state {
                        let used = self.used.with(frame.at.used, form);
                        self.trail.push(operation);
                        return Ok(Some(Configuration { used, state, before: frame.at.state, ..frame.at.clone() }));
                    }
                }
            }
            frame.candidate += 1;
            frame.outcome = 0;
        }
        Ok(None)
    }

    /// Whether an open operation may be chosen: not done, not pure, and none of the same form completes before it.
    fn may_go(&self, at: &Configuration<B>, rank: u32, number: usize) -> bool {
        let form = self.window.form[rank as usize];
        let waits = |rank: u32| !at.done.has(self.window.slot[rank as usize] as usize);
        let same = |rank: u32| self.window.form[rank as usize] == form;
        waits(rank)
            && !self.pure[form as usize]
            && !(0..number).any(|each| self.window.open(each).is_some_and(|each| same(each) && waits(each)))
    }

    /// The next state that an operation leads to and that it could not lead to without the pending one before it.
    fn next_state(&mut self, frame: &mut Frame<B>, form: u32) -> Result<Option<u32>, M::Fault> {
        self.without.clear();
        if frame.at.before != NOTHING {
            self.model.step(frame.at.before, form, &mut self.without)?;
        }
        self.after.clear();
        self.model.step(frame.at.state, form, &mut self.after)?;
        while let Some(&state) = self.after.get(frame.outcome) {
            frame.outcome += 1;
            if !self.without.contains(&state) {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }
}
