//! Law 4 over every registered kind: whatever request fails, is cut or is the last one before the process ends, before
//! its effect or after it, running again comes to the same workspace: nothing twice, nothing left over, nothing lost.

use brickform::plan::Options;

use super::laws::{destroying, done, each, habits, no_secret, plain, prepared, same, shape, write};
use super::laws_cases::{Case, Transition};
use super::world::{Ran, STRIKES, Sent, Strike, World};

/// One way of a world: the documents before, the one that is struck, or the end of everything.
struct Way<'a> {
    case: &'a Case,
    rivals: &'a [&'a str],
    before: &'a [Transition],
    next: Option<&'a Transition>,
}

impl Way<'_> {
    async fn start(&self) -> World {
        let world = prepared(self.case, self.rivals).await;
        for transition in self.before {
            write(&world, transition);
            done(&world.run(&plain(self.case)).await, "getting there");
        }
        if let Some(next) = self.next {
            write(&world, next);
        }
        world
    }

    fn options(&self) -> Options {
        if self.next.is_some() { plain(self.case) } else { destroying(self.case) }
    }

    fn name(&self) -> String {
        let step = self.next.map_or("destroy".to_owned(), |_| format!("transition {}", self.before.len()));
        format!("{} {step} with {:?}", self.case.kind, self.rivals)
    }

    async fn converges(&self, strikes: &[Strike], writes_only: bool) -> usize {
        let start = self.start().await;
        no_secret(&start, &self.name());
        let clean = start.copy();
        let ran = clean.run(&self.options()).await;
        done(&ran, &self.name());
        let wanted = shape(&clean);
        let requests: Vec<&Sent> = ran.planning.iter().chain(&ran.applying).collect();
        let mut count = 0;
        for (number, request) in requests.iter().enumerate().filter(|(_, s)| s.is_write() || !writes_only) {
            // A read has no effect: before it and after it are the same moment.
            for strike in strikes.iter().filter(|strike| request.is_write() || !strike.is_after()) {
                let what = format!("{}, {strike:?} at request {number} ({})", self.name(), request.line());
                self.survives(start.copy(), (number as u64, *strike), &wanted, &what).await;
                count += 1;
            }
        }
        count
    }

    async fn survives(&self, world: World, strike: (u64, Strike), wanted: &[String], what: &str) {
        let mut all = vec![world.run_struck(&self.options(), Some(strike)).await];
        while all.len() == 1 || all.len() < 4 && !all.last().is_some_and(Ran::is_empty) {
            all.push(world.run(&self.options()).await);
        }
        let told = || all.iter().map(Ran::told).collect::<Vec<_>>().join("\n----\n");
        assert!(all.last().is_some_and(Ran::is_empty), "{what}: does not come to rest\n{}", told());
        same(&shape(&world), wanted, || format!("{what}\n{}", told()));
        no_secret(&world, what);
    }
}

fn ways<'a>(case: &'a Case, rivals: &'a [&'a str]) -> Vec<Way<'a>> {
    let all = &case.transitions;
    let mut ways: Vec<Way<'a>> = (0..all.len()).map(|i| Way { case, rivals, before: &all[..i], next: Some(&all[i]) }).collect();
    ways.push(Way { case, rivals, before: all, next: None });
    ways
}

#[test]
fn law_4_any_request_may_fail_before_or_after_its_effect() {
    each(|case| async move {
        let mut count = 0;
        for way in ways(&case, &[]) {
            count += way.converges(STRIKES, false).await;
        }
        assert!(count > 40, "only {count} strikes on {}", case.kind);
    });
}

#[test]
fn what_an_interrupted_apply_made_goes_when_its_yaml_goes() {
    each(|case| async move {
        // Parts and settings of what was there before are left as they are; what was made has to go.
        if !case.before.is_empty() {
            return;
        }
        let start = prepared(&case, &[]).await;
        let before = shape(&start);
        write(&start, &case.transitions[0]);
        let ran = start.copy().run(&plain(&case)).await;
        done(&ran, &case.kind);
        let requests = (ran.planning.len() + ran.applying.len()).min(12) as u64;
        for (number, strike) in (0..requests).flat_map(|n| [(n, Strike::CrashAfter), (n, Strike::CutAfter), (n, Strike::Down)]) {
            let what = format!("{}, {strike:?} at request {number}", case.kind);
            let world = start.copy();
            let first = world.run_struck(&plain(&case), Some((number, strike))).await;
            world.write("conf/case.yaml", "{}\n");
            let second = world.run(&plain(&case)).await;
            done(&second, &what);
            same(&shape(&world), &before, || format!("{what}\n{}\n----\n{}", first.told(), second.told()));
            assert!(world.run(&plain(&case)).await.is_empty(), "{what}: does not come to rest");
        }
    });
}

#[test]
fn law_4_holds_with_every_rival_habit() {
    each(|case| async move {
        for rivals in habits(&case).await.iter().skip(1) {
            for way in ways(&case, rivals) {
                way.converges(&[Strike::CutAfter, Strike::CrashAfter], true).await;
            }
        }
    });
}
