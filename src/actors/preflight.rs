//! Pre-flight: what the executions of a registered workflow may touch, and what would become of it now. Nothing is sent and
//! nothing is started; names of hosts are resolved.

use super::command::Refusal;
use super::engine::Engine;
use crate::domain::definition::{self, Subject, Touch, Touched};
use crate::domain::preflight::Verdict;
use crate::domain::{Agent, TenantId, WorkflowId};
use crate::effects::Outlook;
use crate::store;
use futures_util::future::join_all;
use std::collections::HashMap;
use std::sync::Arc;

/// Addresses that are looked at in one go; what is beyond stays unknown.
const MAX_ADDRESSES: usize = 100;

/// What a workflow may touch.
#[derive(Clone, Debug)]
pub struct Preflight {
    pub touches: Vec<(Touch, Verdict)>,
    /// What it lists in `use.secrets`.
    pub secrets: Vec<(Arc<str>, Verdict)>,
    /// The secrets that are keys of agents that it asks: of which agent, and the name.
    pub keys: Vec<(String, Arc<str>, Verdict)>,
}

impl Engine {
    /// What executions of a registered version may touch, and how that stands now.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; otherwise when the store cannot be read.
    pub async fn preflight(&self, tenant: TenantId, id: WorkflowId) -> Result<Preflight, Refusal> {
        let workflow = self.store().workflow(tenant, id).await?;
        let text = self.store().definition(tenant, workflow.digest).await?;
        let definition = definition::parse(&text.json).map_err(Refusal::Invalid)?;
        let found = definition::footprint(&definition);
        let outlooks = self.outlooks(&found).await;
        let mut touches = Vec::with_capacity(found.len());
        let mut agents: Vec<Agent> = Vec::new();
        for touch in found {
            let verdict = match &touch.what {
                Touched::Request(address) | Touched::Schema(address) | Touched::Token(address) => match address {
                    Subject::Written(address) => outlooks.get(address).copied().unwrap_or(Verdict::Unknown),
                    Subject::Computed(_) => Verdict::Unknown,
                },
                Touched::Program(_) => Verdict::Unknown,
                Touched::Agent(Subject::Written(agent)) => {
                    let (agent, verdict) = self.agent_verdict(tenant, agent).await?;
                    agents.extend(agent.filter(|agent| agents.iter().all(|known| known.id != agent.id)));
                    verdict
                }
                Touched::Agent(Subject::Computed(_)) => Verdict::Unknown,
                Touched::Workflow { namespace, name, version } => {
                    self.workflow_verdict(tenant, namespace, name, version).await?
                }
            };
            touches.push((touch, verdict));
        }
        let secrets = self.secret_verdicts(tenant, &definition.components.secrets).await?;
        let keys = self.key_verdicts(tenant, &agents).await?;
        Ok(Preflight { touches, secrets, keys })
    }

    /// The addresses that are written down, each looked at once and all at the same time.
    async fn outlooks(&self, touches: &[Touch]) -> HashMap<String, Verdict> {
        let mut addresses: Vec<&String> = Vec::new();
        for touch in touches {
            if let Touched::Request(address) | Touched::Schema(address) | Touched::Token(address) = &touch.what
                && let Subject::Written(address) = address
                && addresses.len() < MAX_ADDRESSES
                && !addresses.contains(&address)
            {
                addresses.push(address);
            }
        }
        let looks = addresses.into_iter().map(|address| async move {
            let verdict = match self.services.effects.look_at(address).await {
                Outlook::Permitted => Verdict::Ready,
                Outlook::Refused => Verdict::Refused,
                Outlook::Unresolved => Verdict::Unresolved,
                Outlook::Invalid => Verdict::Invalid,
            };
            (address.clone(), verdict)
        });
        join_all(looks).await.into_iter().collect()
    }

    async fn agent_verdict(&self, tenant: TenantId, agent: &str) -> Result<(Option<Agent>, Verdict), Refusal> {
        match self.store().find_agent(tenant, agent.to_owned()).await {
            Ok(agent) => {
                let verdict = if agent.is_active { Verdict::Ready } else { Verdict::Off };
                Ok((Some(agent), verdict))
            }
            Err(store::Error::NotFound) => Ok((None, Verdict::Missing)),
            Err(error) => Err(error.into()),
        }
    }

    async fn key_verdicts(
        &self,
        tenant: TenantId,
        agents: &[Agent],
    ) -> Result<Vec<(String, Arc<str>, Verdict)>, Refusal> {
        let keys = agents.iter().filter_map(|agent| Some((agent.slug.clone(), agent.key_secret()?)));
        let (agents, names): (Vec<String>, Vec<Arc<str>>) = keys.map(|(slug, name)| (slug, Arc::from(name))).unzip();
        let verdicts = self.secret_verdicts(tenant, &names).await?;
        Ok(agents.into_iter().zip(verdicts).map(|(agent, (name, verdict))| (agent, name, verdict)).collect())
    }

    async fn workflow_verdict(
        &self,
        tenant: TenantId,
        namespace: &Subject,
        name: &Subject,
        version: &Subject,
    ) -> Result<Verdict, Refusal> {
        let (Subject::Written(namespace), Subject::Written(name), Subject::Written(version)) =
            (namespace, name, version)
        else {
            return Ok(Verdict::Unknown);
        };
        let (namespace, name, version) = (namespace.clone(), name.clone(), Some(version.clone()));
        match self.store().resolve_workflow(tenant, namespace, name, version).await {
            Ok(_) => Ok(Verdict::Ready),
            Err(store::Error::NotFound) => Ok(Verdict::Missing),
            Err(error) => Err(error.into()),
        }
    }

    async fn secret_verdicts(&self, tenant: TenantId, names: &[Arc<str>]) -> Result<Vec<(Arc<str>, Verdict)>, Refusal> {
        let wanted = names.iter().map(|name| name.to_string()).collect();
        let stored = self.store().secrets_named(tenant, wanted).await?;
        let verdict = |name: &Arc<str>| match stored.iter().find(|secret| *secret.name == **name) {
            Some(secret) if self.services.vault.has_key(&secret.sealed.key_id) => Verdict::Ready,
            Some(_) => Verdict::Off,
            None => Verdict::Missing,
        };
        Ok(names.iter().map(|name| (Arc::clone(name), verdict(name))).collect())
    }
}
