//! The maintenance actor: when rounds of upkeep begin, one at a time, and what the last one did. What a round does is
//! written in `upkeep.rs`.
//!
//! The first round begins a minute after the start of the service, each further one an interval after the end of the one
//! before; a request starts one at once. When the service stops, a round ends after the batch at hand.

use super::engine::Engine;
use super::services::Services;
use super::supervisor::Supervisor;
use super::upkeep::{self, Round};
use crate::domain::{TenantId, Timestamp};
use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, SpawnHandle, WrapFuture};
use std::sync::Arc;
use std::time::Duration;

/// From the start of the service to its first round: recovery comes first.
const FIRST_ROUND_AFTER: Duration = Duration::from_secs(60);

/// The actor.
pub struct Maintenance {
    engine: Option<Engine>,
    services: Arc<Services>,
    supervisor: Addr<Supervisor>,
    running_since: Option<Timestamp>,
    last: Option<Arc<Round>>,
    next_at: Option<Timestamp>,
    alarm: Option<SpawnHandle>,
    /// Asked for while a round was running.
    again: bool,
}

/// What can be seen of the actor.
#[derive(Clone, Debug, Default, actix::dev::MessageResponse)]
pub struct MaintenanceView {
    /// Since when a round is running.
    pub running_since: Option<Timestamp>,
    /// The last round that ended.
    pub last: Option<Arc<Round>>,
    /// When the next one begins by itself.
    pub next_at: Option<Timestamp>,
}

impl MaintenanceView {
    /// How many executions of a tenant the last round has deleted.
    pub fn deleted_of(&self, tenant: TenantId) -> u64 {
        self.last.as_ref().and_then(|round| round.executions.get(&tenant)).copied().unwrap_or(0)
    }
}

impl Maintenance {
    pub fn new(services: Arc<Services>, supervisor: Addr<Supervisor>) -> Self {
        Self {
            engine: None,
            services,
            supervisor,
            running_since: None,
            last: None,
            next_at: None,
            alarm: None,
            again: false,
        }
    }

    fn begin(&mut self, ctx: &mut Context<Self>) {
        if self.running_since.is_some() {
            self.again = true;
            return;
        }
        let Some(engine) = self.engine.clone().filter(|engine| !engine.is_shutting_down()) else { return };
        if let Some(alarm) = self.alarm.take() {
            ctx.cancel_future(alarm);
        }
        self.next_at = None;
        self.running_since = Some(self.services.clock.now());
        let round = async move { upkeep::round(&engine).await };
        ctx.spawn(round.into_actor(self).map(|round, actor, ctx| actor.ended(round, ctx)));
    }

    fn ended(&mut self, round: Round, ctx: &mut Context<Self>) {
        self.running_since = None;
        if let Some(reason) = &round.failure {
            tracing::warn!(reason, "upkeep broke off; it goes on with the next round");
        }
        self.services.metrics.upkeep().round(round.failure.is_none(), round.finished_at);
        self.last = Some(Arc::new(round));
        if std::mem::take(&mut self.again) {
            self.begin(ctx);
            return;
        }
        self.schedule(Duration::from_secs(self.services.options.upkeep.interval_seconds), ctx);
    }

    fn schedule(&mut self, after: Duration, ctx: &mut Context<Self>) {
        if self.services.options.upkeep.interval_seconds == 0 {
            return;
        }
        let micros = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        let at = self.services.clock.now().plus_micros(micros);
        self.next_at = Some(at);
        let sleep = self.services.clock.sleep_until(at).into_actor(self);
        self.alarm = Some(ctx.spawn(sleep.map(|(), actor, ctx| {
            actor.alarm = None;
            actor.begin(ctx);
        })));
    }
}

impl Actor for Maintenance {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let engine = Engine {
            services: Arc::clone(&self.services),
            supervisor: self.supervisor.clone(),
            maintenance: ctx.address(),
        };
        self.engine = Some(engine);
        let first = FIRST_ROUND_AFTER.min(Duration::from_secs(self.services.options.upkeep.interval_seconds));
        self.schedule(first, ctx);
    }
}

/// Begins a round; a second one follows when one is running already.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Begin;

impl Handler<Begin> for Maintenance {
    type Result = ();
    fn handle(&mut self, _: Begin, ctx: &mut Self::Context) {
        self.begin(ctx);
    }
}

/// What the actor does and has done.
#[derive(Message)]
#[rtype(result = "MaintenanceView")]
pub struct Look;

impl Handler<Look> for Maintenance {
    type Result = MaintenanceView;
    fn handle(&mut self, _: Look, _: &mut Self::Context) -> MaintenanceView {
        MaintenanceView { running_since: self.running_since, last: self.last.clone(), next_at: self.next_at }
    }
}
