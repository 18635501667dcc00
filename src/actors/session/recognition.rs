//! Who the visitor of a session is at this moment: asked before anything is done for them.
//!
//! Called by the session with each request and each heartbeat, and with a frame when something has changed since it last asked.

use super::super::frame::Frame;
use super::super::visitor::Visitor;
use super::{Ctx, Session};
use crate::domain::{Action, Execution, ExecutionId};
use crate::store;
use crate::wire::catalog::Code;
use crate::wire::frame::ServerFrame;
use crate::wire::problem::Problem;
use actix::{ActorFuture, ActorFutureExt, ContextFutureSpawner, WrapFuture};
use actix_web_actors::ws::CloseCode;
use std::sync::Arc;

/// Whether the visitor is still welcome, what was read, and the mark of the request under way.
type LookedUp = (Result<Visitor, Box<Problem>>, Result<Execution, store::Error>, Arc<()>);

impl Session {
    /// Reads an execution, and asks whether the visitor is still welcome: what they ask for is not done on the word of earlier.
    pub(super) fn look_up(&self, id: ExecutionId) -> impl ActorFuture<Self, Output = LookedUp> + 'static {
        let (engine, tenant, asked) = (self.engine.clone(), self.opening.tenant, Arc::clone(&self.asked));
        let confirmed = self.opening.gate.confirm();
        async move { (confirmed.await, engine.store().execution(tenant, id).await, asked) }.into_actor(self)
    }

    /// Shows a frame as soon as it is clear that the visitor is still who they were. Nothing else happens meanwhile, so frames
    /// stay in order and those that come wait where they are.
    pub(super) fn show_when_recognized(&mut self, frame: Frame, ctx: &mut Ctx) {
        let changes = self.opening.gate.changes();
        let confirmed = self.opening.gate.confirm();
        confirmed
            .into_actor(self)
            .map(move |confirmed, session, ctx| {
                // In the time for a fresh token everything goes on.
                let has_time = confirmed.as_ref().is_err_and(|problem| problem.code == Code::TokenExpired);
                if has_time || session.recognizes(confirmed, ctx) {
                    session.confirmed = Some(changes);
                    session.show(frame, ctx);
                }
            })
            .wait(ctx);
    }

    /// Whether the visitor may go on asking; otherwise they are told why not.
    pub(super) fn recognizes(&mut self, confirmed: Result<Visitor, Box<Problem>>, ctx: &mut Ctx) -> bool {
        match confirmed {
            Ok(visitor) => self.accept(visitor, ctx),
            Err(problem) => {
                let has_ended = problem.code != Code::TokenExpired;
                self.send(&ServerFrame::Error { data: problem }, ctx);
                if has_ended {
                    self.close(CloseCode::Policy, "the credential is not valid any more", ctx);
                }
                false
            }
        }
    }

    /// Goes on as who the visitor is now. The session ends, and false is returned, when that is somebody with other permissions.
    pub(super) fn accept(&mut self, visitor: Visitor, ctx: &mut Ctx) -> bool {
        let has_lost = visitor.principal.reach(Action::ExecutionRead).is_err();
        let has_changed = visitor.principal.role != self.opening.visitor.principal.role;
        let has_new_end = visitor.expires_at != self.opening.visitor.expires_at;
        self.opening.visitor = visitor;
        if has_new_end {
            self.watch_the_clock(ctx);
        }
        if has_lost || has_changed {
            self.close(CloseCode::Policy, "the permissions have changed: connect again", ctx);
            return false;
        }
        true
    }
}
