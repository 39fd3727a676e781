//! A request that nobody answers closes by itself.

use crate::refusals::refused;
use crate::storage::rewrite;
use crate::widened::never_by_itself;
use crate::world::{digest_of, world};
use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use sallyport_api::CONDITION_ENDED;
use sallyport_model::Phase;
use serde_json::json;

const A_DAY: i64 = 24 * 3600;

/// Nobody waits a day, and nobody can write when a request was made, so that is written where no guardrail looks. The
/// broker hears of the change while there is time left, and of nothing after it: it has to come back by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_nobody_answers_closes_a_day_after_it_was_made() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(never_by_itself()).await?;
    let (ann, bob) = (world.ann()?, world.person("bob", &["payments-dev"])?);
    let (long_ago, nearly, fresh) = (
        ann.ask(world, "operate", &["payments"]).await?,
        ann.ask(world, "operate", &["payments"]).await?,
        bob.ask(world, "operate", &["payments"]).await?,
    );
    for asked in [&long_ago, &nearly] {
        digest_of(&ann, asked).await?;
    }
    digest_of(&bob, &fresh).await?;
    let made_at = async |asked, seconds: i64| {
        let request = ann.hub.request(asked).await?;
        rewrite(world, &request, |object| {
            object["metadata"]["creationTimestamp"] = json!(Timestamp::from_second(seconds)?.to_string());
            // Nobody asks with a sign-in of after.
            object["spec"]["authTime"] = json!(seconds - 5);
            Ok(())
        })
        .await
    };
    let over_at = Timestamp::now().as_second() + 8;
    made_at(&nearly.which, over_at - A_DAY).await?;
    made_at(&long_ago.which, over_at - 2 * A_DAY).await?;
    for asked in [&long_ago, &nearly] {
        let said = refused(world, &ann, asked).await?;
        ensure!(said == "Unanswered: nobody answered within 24 hours", "{said}");
    }
    let closed = ann.hub.request(&nearly.which).await?;
    let ended =
        closed.condition(CONDITION_ENDED).context("when it ended")?.last_transition_time.0.as_second();
    println!("closed {} s after its day was over", ended - over_at);
    ensure!(ended >= over_at, "{} s before its day was over", over_at - ended);
    let waits = bob.hub.request(&fresh.which).await?;
    ensure!(waits.phase() == Phase::Pending, "one that was just made: {:?}", waits.status);
    ensure!(bob.leave(&fresh).await?.starts_with("Left:"));
    Ok(())
}
