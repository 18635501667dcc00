//! The two halves of a sign-in with a provider, and how somebody whom it knows becomes somebody here.

use super::attempt::{self, Attempt};
use super::id_token::{self, Claims, Expected};
use super::person::{self, Person};
use super::{Error, Provider, exchange};
use crate::clock;
use crate::domain::{Role, Tenant, User, UserId};
use crate::identity::audit::{Change, Writer};
use crate::identity::{Identity, SignedIn, checked_name};
use crate::store::{self, ExternalIdentity};
use serde_json::json;
use url::Url;

/// A sign-in that has begun.
pub struct Begun {
    /// Where the browser is sent.
    pub address: Url,
    /// What it keeps meanwhile.
    pub attempt: String,
    /// For how long.
    pub life_seconds: i64,
}

/// What a provider gives a browser back.
#[derive(Clone, Default)]
pub struct Returned {
    pub state: Option<String>,
    pub code: Option<String>,
    /// A word such as `access_denied`, instead of a code.
    pub error: Option<String>,
    /// The provider, as it names itself.
    pub issuer: Option<String>,
}

impl Identity {
    /// The providers that people may sign in with: id and label of each.
    pub fn providers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.providers.each()
    }

    /// Begins a sign-in. `return_to` is where the provider sends the browser back to, `next` where the person wants to go.
    ///
    /// # Errors
    /// [`Error::UnknownProvider`]; [`Error::Unavailable`] and [`Error::NotAccepted`] when the provider does not say what to do.
    pub async fn begin_with_provider(&self, id: &str, return_to: String, next: Option<String>) -> Result<Begun, Error> {
        let provider = self.providers.find(id)?;
        let now = self.clock.now();
        let metadata = provider.discovery.metadata(&provider.transport, now).await?;
        let attempt = Attempt::new(id, return_to, next, now)?;
        Ok(Begun {
            address: exchange::address(&provider.options, &metadata, &attempt)?,
            attempt: attempt.seal(&self.signer)?,
            life_seconds: attempt::LIFE_SECONDS,
        })
    }

    /// Finishes a sign-in with what the provider has given the browser back and what the browser has kept. Also returns
    /// where the person wanted to go.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn finish_with_provider(
        &self,
        id: &str,
        returned: Returned,
        attempt: Option<&str>,
        writer: &Writer,
    ) -> Result<(SignedIn, Option<String>), Error> {
        let provider = self.providers.find(id)?;
        let now = self.clock.now();
        let attempt = Attempt::open(&self.signer, attempt, id, returned.state.as_deref(), now)?;
        let person = self.person(provider, returned, &attempt).await?;
        let writer = Writer { provider: Some(provider.options.id.clone()), ..writer.clone() };
        let user = self.admit(provider, person, &writer).await?;
        let signed_in = self.begin_session(user, "signed_in_with_provider", &writer).await?;
        Ok((signed_in, attempt.next))
    }

    /// Who has come back.
    async fn person(&self, provider: &Provider, returned: Returned, attempt: &Attempt) -> Result<Person, Error> {
        let Provider { options, transport, discovery } = provider;
        let now = self.clock.now();
        let metadata = discovery.metadata(transport, now).await?;
        let must_say = metadata.authorization_response_iss_parameter_supported;
        match &returned.issuer {
            Some(issuer) if *issuer != options.issuer_text => {
                return Err(Error::NotAccepted("another provider has answered".to_owned()));
            }
            None if must_say => return Err(Error::NotAccepted("it does not say who has answered".to_owned())),
            Some(_) | None => {}
        }
        let code = match (returned.code, returned.error.as_deref()) {
            (_, Some("access_denied")) => return Err(Error::Cancelled),
            (_, Some(error)) => return Err(Error::NotAccepted(format!("it answers '{}'", word(error)))),
            (None, None) => return Err(Error::NotAccepted("it answers without a code".to_owned())),
            (Some(code), None) => code,
        };
        let tokens = exchange::redeem(options, &metadata, transport, attempt, code).await?;
        let header = id_token::header(&tokens.id_token)?;
        let key = discovery.key(transport, &header, now).await?;
        let (issuer, client_id, nonce) = (&options.issuer_text, &options.client_id, &attempt.nonce);
        let claims = id_token::claims(&tokens.id_token, &header, &key, &Expected { issuer, client_id, nonce, now })?;
        let more = match &metadata.userinfo_endpoint {
            Some(endpoint) if !person::is_complete(options, &claims) => {
                let more: Claims = transport.get_json(endpoint, Some(&tokens.access_token)).await?;
                if more.get("sub") != claims.get("sub") {
                    return Err(Error::NotAccepted("it tells about somebody else than has signed in".to_owned()));
                }
                more
            }
            Some(_) | None => Claims::new(),
        };
        Ok(person::read(options, &claims, &more))
    }

    /// Whom a person is here: made at the first sign-in, with the role that their groups give at each.
    async fn admit(&self, provider: &Provider, person: Person, writer: &Writer) -> Result<User, Error> {
        let options = &provider.options;
        let role = options.roles.of(&person.groups).copied().max().ok_or(Error::NoRole)?;
        let tenant = self.tenant_of(provider, &person).await?;
        let identity = ExternalIdentity { issuer: options.issuer_text.clone(), subject: person.subject.clone() };
        let user = match self.store.user_of_external_identity(identity.clone()).await {
            Ok(user) if user.tenant_id != tenant.id => {
                let own = self.store.tenant(user.tenant_id).await?.slug;
                return Err(Error::OtherTenant { person: user.id, own, wanted: tenant.slug });
            }
            Ok(user) => user,
            Err(store::Error::NotFound) => {
                return self.welcome(provider, person, identity, &tenant, role, writer).await;
            }
            Err(error) => return Err(error.into()),
        };
        if !user.is_active {
            return Err(Error::Inactive);
        }
        self.update_role(user, role, writer).await
    }

    async fn tenant_of(&self, provider: &Provider, person: &Person) -> Result<Tenant, Error> {
        let slug = provider.options.tenants.of(&person.groups).next().ok_or(Error::NoRole)?;
        let tenant = self.store.tenant_by_slug(slug.clone()).await;
        if matches!(tenant, Err(store::Error::NotFound)) {
            return Err(Error::NotAccepted(format!("its settings name the tenant '{slug}', which is none")));
        }
        let tenant = tenant?;
        if tenant.is_active { Ok(tenant) } else { Err(Error::Inactive) }
    }

    /// Somebody who comes for the first time: new here, or known by their address where the settings allow that.
    async fn welcome(
        &self,
        provider: &Provider,
        person: Person,
        identity: ExternalIdentity,
        tenant: &Tenant,
        role: Role,
        writer: &Writer,
    ) -> Result<User, Error> {
        let email = person.email.ok_or(Error::NoEmail)?;
        let known = self.store.users_by_email(Some(tenant.id), email.clone()).await?.into_iter().next();
        let now = self.clock.now();
        if let Some(user) = known {
            if !provider.options.link_by_email {
                return Err(Error::AddressTaken);
            }
            if !user.is_active {
                return Err(Error::Inactive);
            }
            let entry = writer.entry_of(&user, Change::done("provider_linked", "user", user.id), now);
            self.store.link_external_identity(user.clone(), identity, entry).await?;
            return self.take_over(user, role, writer).await;
        }
        let local_part = email.split('@').next().unwrap_or_default();
        let user = User {
            id: UserId(clock::new_id()),
            tenant_id: tenant.id,
            display_name: person
                .name
                .or_else(|| checked_name(local_part).ok())
                .unwrap_or_else(|| "Nameless".to_owned()),
            email,
            password_hash: None,
            role,
            is_active: true,
            locale: None,
            last_sign_in_at: None,
            created_at: now,
            updated_at: now,
        };
        let facts = json!({ "email": user.email, "role": user.role, "provider": provider.options.id });
        let change = Change::created("user_created", "user", user.id, &facts);
        let entry = writer.entry_of(&user, change, now);
        let created = self.store.create_external_user(user, identity, entry).await;
        // Somebody with this address may have come in at the same moment.
        if matches!(created, Err(store::Error::Conflict { .. })) { Err(Error::AddressTaken) } else { Ok(created?) }
    }

    /// Makes of somebody who was known here what their groups say. Where that is more than they were, whoever has added them
    /// could choose their password but not make that of them: only the provider's word opens the door from now on.
    async fn take_over(&self, user: User, role: Role, writer: &Writer) -> Result<User, Error> {
        if role <= user.role {
            return self.update_role(user, role, writer).await;
        }
        let wanted = User { role, password_hash: None, updated_at: self.clock.now(), ..user.clone() };
        let facts = |user: &User| json!({ "role": user.role, "has_password": user.password_hash.is_some() });
        let change = Change::changed("user_changed", "user", user.id, &facts(&user), &facts(&wanted));
        let entry = writer.entry_of(&user, change, wanted.updated_at);
        Ok(self.store.update_user(user, wanted, entry).await?)
    }

    /// Gives somebody the role that their groups say.
    async fn update_role(&self, user: User, role: Role, writer: &Writer) -> Result<User, Error> {
        if user.role == role {
            return Ok(user);
        }
        let changed = User { role, updated_at: self.clock.now(), ..user.clone() };
        let facts = |user: &User| json!({ "role": user.role });
        let change = Change::changed("user_changed", "user", user.id, &facts(&user), &facts(&changed));
        let entry = writer.entry_of(&user, change, changed.updated_at);
        Ok(self.store.update_user(user, changed, entry).await?)
    }
}

/// What a stranger has written, made fit for a log line.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "_-. ".contains(*c)).take(60).collect()
}
