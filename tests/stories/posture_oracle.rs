//! Random roles and bindings on a real API server, and what it says of thousands of questions against what is computed
//! from the same objects (P22). The seed is printed: `SALLYPORT_SEED` plays the same again.

mod by_mode;
mod passing_on;
mod question;
mod review;
mod untouched;
mod world;

use crate::dice::Dice;
use crate::lines::Lines;
use anyhow::{Result, ensure};
use passing_on::Try;
use question::Question;
use review::Server;
use sallyport_testkit::{Plane, PlaneOptions};
use serde_json::json;
use std::time::{Duration, Instant};
use world::World;

/// Questions put in each world.
const QUESTIONS: usize = 220;
/// Roles and bindings that somebody tries to write in each world.
const TRIES: usize = 12;
/// Worlds that live at once. An API server goes through all ClusterRoleBindings for each question.
const AT_ONCE: usize = 10;
/// A line for so many worlds.
const A_LINE: usize = 50;
/// The worlds of a whole play.
const WORLDS: usize = 500;
/// Disagreements that are told before giving up.
const TOLD: usize = 5;

/// What `make test` plays.
pub(crate) async fn tenth(lines: &mut Lines) -> Result<()> {
    play(lines, WORLDS / 10).await
}

/// At least 100,000 questions.
pub(crate) async fn whole(lines: &mut Lines) -> Result<()> {
    play(lines, WORLDS).await
}

/// What was counted.
#[derive(Default)]
struct Count {
    allowed: usize,
    denied: usize,
    wrong: usize,
    /// Of roles and bindings that somebody tried to write: taken, and refused.
    taken: usize,
    refused: usize,
    asking: Duration,
    computing: Duration,
}

async fn play(lines: &mut Lines, worlds: usize) -> Result<()> {
    let (mut dice, seed) = Dice::from_environment();
    let mut options = PlaneOptions::new("oracle").without_controllers();
    options.controllers = vec!["clusterrole-aggregation-controller".to_owned()];
    options.audit_log = false;
    let plane = Plane::start(options).await?;
    let server = Server::new(plane.admin()?);
    server.settled().await?;
    untouched::look(&server, plane.assets().version(), lines).await?;
    server.make(&passing_on::writers()).await?;
    server.make(&world::namespaces()).await?;
    lines.seen("an API server is up, and the dice are thrown", format!("SALLYPORT_SEED={seed}"));
    by_mode::look(&server, &plane, &mut dice, lines).await?;
    let (mut all, mut line) = (Count::default(), Count::default());
    let mut made = 0;
    while made < worlds {
        let many = AT_ONCE.min(worlds - made).min(A_LINE - made % A_LINE);
        let living: Vec<World> = (made..made + many).map(|number| World::random(number, &mut dice)).collect();
        made += many;
        batch(&server, &living, &mut dice, &mut line, lines).await?;
        if made % A_LINE == 0 || made == worlds {
            tell(lines, made, &line);
            all.add(&line);
            line = Count::default();
        }
        if all.wrong + line.wrong > TOLD {
            break;
        }
    }
    all.add(&line);
    let asked = all.allowed + all.denied;
    lines.check(
        "p22 what is computed is what the API server answers, on every question",
        all.wrong == 0 && asked == worlds * QUESTIONS,
        format!(
            "{made} worlds, {asked} questions: {} allowed, {} denied, {} disagreements; {:.0} questions a second, \
             computed in {:.1} µs each",
            all.allowed,
            all.denied,
            all.wrong,
            asked as f64 / all.asking.as_secs_f64(),
            all.computing.as_secs_f64() * 1e6 / asked.max(1) as f64,
        ),
    );
    lines.check(
        "p22 who may pass on what is what the API server takes and refuses",
        all.wrong == 0 && all.taken > worlds && all.refused > worlds,
        format!("{} roles and bindings taken, {} refused, by dry run", all.taken, all.refused),
    );
    lines.check(
        "about half of them are allowed",
        (0.35..0.65).contains(&(all.allowed as f64 / asked.max(1) as f64)),
        "",
    );
    Ok(())
}

impl Count {
    fn add(&mut self, other: &Count) {
        self.allowed += other.allowed;
        self.denied += other.denied;
        self.wrong += other.wrong;
        self.taken += other.taken;
        self.refused += other.refused;
        self.asking += other.asking;
        self.computing += other.computing;
    }
}

fn tell(lines: &mut Lines, made: usize, line: &Count) {
    lines.seen_many(
        line.allowed + line.denied + line.taken + line.refused - line.wrong,
        &format!("p22 {made} worlds"),
        format!(
            "{} allowed, {} denied; {} taken, {} refused",
            line.allowed, line.denied, line.taken, line.refused
        ),
    );
}

/// Makes some worlds, asks both, and removes them.
async fn batch(
    server: &Server,
    living: &[World],
    dice: &mut Dice,
    count: &mut Count,
    lines: &mut Lines,
) -> Result<()> {
    let objects: Vec<_> = living.iter().flat_map(|world| world.objects.iter().cloned()).collect();
    server.make(&objects).await?;
    server.settled().await?;
    let snapshot = server.snapshot().await?;
    let (rbac, aggregated) = snapshot.rbac();
    ensure!(aggregated == Default::default(), "the controller filled all roles: {aggregated:?}");
    for world in living {
        let questions: Vec<Question> = (0..QUESTIONS).map(|_| Question::random(world, dice)).collect();
        let began = Instant::now();
        let answers = server.answers(&questions).await?;
        count.asking += began.elapsed();
        let began = Instant::now();
        let computed: Vec<bool> = questions.iter().map(|question| question.computed(&rbac)).collect();
        count.computing += began.elapsed();
        for ((question, answer), computed) in questions.iter().zip(answers).zip(computed) {
            match answer {
                true => count.allowed += 1,
                false => count.denied += 1,
            }
            if answer != computed {
                count.wrong += 1;
                if count.wrong <= TOLD {
                    let what =
                        format!("the API server says {answer} to {question:?} in {}", json!(world.objects));
                    lines.failed("p22 what is computed is what the API server answers", what);
                }
            }
        }
    }
    for world in living {
        let tries: Vec<Try> = (0..TRIES).map(|number| Try::random(world, number, dice)).collect();
        for (one, answer) in tries.iter().zip(passing_on::answers(server, &tries).await?) {
            match answer {
                true => count.taken += 1,
                false => count.refused += 1,
            }
            if answer != one.computed(&rbac) {
                count.wrong += 1;
                if count.wrong <= TOLD {
                    let what = format!("the API server says {answer} to {one:?} in {}", json!(world.objects));
                    lines.failed("p22 what is computed is what the API server takes", what);
                }
            }
        }
    }
    server.remove(&objects).await
}
