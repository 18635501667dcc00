//! Sign-ins of people: by password, by a one-time link, and what keeps them signed in.

use super::audit::{Change, Writer};
use super::first_start::is_nameless;
use super::password::check_password;
use super::throttle::Account;
use super::{Error, Identity, tokens, unknown};
use crate::clock;
use crate::domain::{AuditEntry, SessionId, Tenant, TenantId, Timestamp, User};
use crate::store::{OneTimePurpose, OneTimeToken, Rotation, Session};
use std::net::IpAddr;

const MAX_NAME_CHARACTERS: usize = 120;
const MAX_EMAIL_CHARACTERS: usize = 254;

/// What somebody gets who has signed in.
#[derive(Clone)]
pub struct SignedIn {
    pub user: User,
    pub access_token: String,
    pub access_expires_at: Timestamp,
    pub refresh_token: String,
    pub session_expires_at: Timestamp,
}

/// What somebody who holds a one-time link says about themselves. What is absent stays as it is.
#[derive(Clone, Default)]
pub struct Profile {
    pub email: Option<String>,
    pub display_name: Option<String>,
    pub password: String,
}

impl Identity {
    /// Signs in with a password. `tenant` is a slug; without one the address has to be known in one tenant only.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::Throttled`].
    pub async fn sign_in(
        &self,
        tenant: Option<String>,
        email: &str,
        password: String,
        address: Option<IpAddr>,
        writer: &Writer,
    ) -> Result<SignedIn, Error> {
        let account = Account { name: normal_email(email), tenant };
        self.throttle.check(&account, address)?;
        // Taken back when it succeeds: attempts at the same time all count.
        self.throttle.failed(&account, address);
        let user = self.candidate(account.tenant.clone(), &account.name).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let is_right = self.hashing.verify(password, hash).await?;
        let Some(user) = user.filter(|_| is_right) else {
            tracing::info!(address = address.map(tracing::field::display), "a sign-in failed");
            return Err(Error::WrongPassword);
        };
        self.throttle.succeeded(&account, address);
        self.begin_session(user, "signed_in", writer).await
    }

    /// The one person that may sign in with an address.
    async fn candidate(&self, tenant: Option<String>, email: &str) -> Result<Option<User>, Error> {
        let tenant_id = match tenant {
            None => None,
            Some(slug) => match self.store.tenant_by_slug(slug).await.map_err(unknown) {
                Ok(tenant) => Some(tenant.id),
                Err(Error::InvalidCredential) => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        let mut found = self.store.users_by_email(tenant_id, email.to_owned()).await?;
        found.retain(|user| user.is_active);
        let Some(user) = found.pop().filter(|_| found.is_empty()) else { return Ok(None) };
        let tenant = self.store.tenant(user.tenant_id).await?;
        Ok(tenant.is_active.then_some(user))
    }

    /// Begins a session of somebody who has shown who they are, in whichever way.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn begin_session(&self, user: User, action: &'static str, writer: &Writer) -> Result<SignedIn, Error> {
        let session = self.new_session(&user);
        let refresh_token = tokens::secret()?;
        let entry = writer.entry_of(&user, Change::done(action, "session", session.id), session.created_at);
        let digest = tokens::digest_of(&refresh_token);
        self.store.open_session(user.clone(), session, digest, entry).await.map_err(unknown)?;
        self.signed_in(user, session, refresh_token)
    }

    /// A fresh access token for a refresh token, which is used up and replaced.
    ///
    /// # Errors
    /// [`Error::InvalidCredential`]; [`Error::TokenReused`] after the session was ended because the token had been used.
    pub async fn refresh(&self, refresh_token: &str) -> Result<SignedIn, Error> {
        let (old, new) = (tokens::digest_of(refresh_token), tokens::secret()?);
        let now = self.clock.now();
        let grace = i64::try_from(self.options.refresh_grace.as_micros()).unwrap_or(i64::MAX);
        let reuse = move |session: &Session| {
            let change = Change::done("refresh_token_reused", "session", session.id);
            Writer::service().entry(session.tenant_id, change, now)
        };
        match self.store.rotate_refresh_token(old, tokens::digest_of(&new), now, grace, reuse).await? {
            Rotation::Rotated(session) => {
                // Whether the person and the tenant are still welcome.
                self.known_session(session.id).await?;
                let user = self.store.user(session.tenant_id, session.user_id).await.map_err(unknown)?;
                self.signed_in(user, session, new)
            }
            Rotation::Reused(session) => {
                tracing::warn!(user = %session.user_id, session = %session.id, "a refresh token was used twice");
                Err(Error::TokenReused)
            }
            Rotation::Invalid => Err(Error::InvalidCredential),
        }
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn sign_out(&self, session: SessionId, tenant_id: TenantId, writer: &Writer) -> Result<(), Error> {
        let change = Change::done("signed_out", "session", session);
        self.store.revoke_session(session, writer.entry(tenant_id, change, self.clock.now())).await?;
        Ok(())
    }

    /// Ends the session of a refresh token. One that is not known has none.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn sign_out_with(&self, refresh_token: &str, writer: &Writer) -> Result<(), Error> {
        let session = self.store.session_of_refresh_token(tokens::digest_of(refresh_token)).await;
        match session.map_err(unknown) {
            Ok(session) => {
                let user = self.store.user(session.tenant_id, session.user_id).await.map_err(unknown)?;
                let change = Change::done("signed_out", "session", session.id);
                let entry = writer.entry_of(&user, change, self.clock.now());
                self.store.revoke_session(session.id, entry).await?;
                Ok(())
            }
            Err(Error::InvalidCredential) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A link for somebody who has no password or has forgotten it, and what is to be stored of it.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn make_link(&self, purpose: OneTimePurpose, life_seconds: u32) -> Result<(String, OneTimeToken), Error> {
        let token = tokens::secret()?;
        let created_at = self.clock.now();
        let expires_at = created_at.plus_micros(i64::from(life_seconds) * 1_000_000);
        let kept = OneTimeToken { purpose, hash: tokens::digest_of(&token), created_at, expires_at };
        Ok((token, kept))
    }

    /// Makes a link and stores it; earlier ones are void. The audit gets the entry along with it.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn one_time_token(
        &self,
        user: &User,
        purpose: OneTimePurpose,
        life_seconds: u32,
        entry: Option<AuditEntry>,
    ) -> Result<(String, Timestamp), Error> {
        let (token, kept) = self.make_link(purpose, life_seconds)?;
        let expires_at = kept.expires_at;
        let store = entry.map_or_else(|| self.store.clone(), |entry| self.store.noting(entry));
        store.put_one_time_token(user, kept).await?;
        Ok((token, expires_at))
    }

    /// Signs in with a one-time link: sets the password, and the name when it is given. The first operator chooses an address
    /// as well; that of everybody else was chosen by whoever has added them.
    ///
    /// # Errors
    /// [`Error::InvalidCredential`] for a link that is not good (any more); [`Error::Invalid`] for a field.
    pub async fn redeem(&self, token: &str, profile: Profile, writer: &Writer) -> Result<SignedIn, Error> {
        check_password(&profile.password)?;
        let email = profile.email.as_deref().map(checked_email).transpose()?;
        let name = profile.display_name.as_deref().map(checked_name).transpose()?;
        let hash = tokens::digest_of(token);
        let now = self.clock.now();
        let known = self.store.user_of_one_time_token(hash.clone(), now).await.map_err(unknown)?;
        let tenant: Tenant = self.store.tenant(known.tenant_id).await.map_err(unknown)?;
        if !known.is_active || !tenant.is_active {
            return Err(Error::InvalidCredential);
        }
        // Who could take the address of somebody else would be taken for them by a provider that vouches for it.
        if email.as_ref().is_some_and(|email| *email != known.email) && !is_nameless(&known) {
            let reason =
                "must be the one you were added with, or left out; whoever looks after people can change it".to_owned();
            return Err(Error::Invalid { field: "/email", reason });
        }
        let password_hash = self.hashing.hash(profile.password).await?;
        let user = User {
            email: email.unwrap_or_else(|| known.email.clone()),
            display_name: name.unwrap_or_else(|| known.display_name.clone()),
            password_hash: Some(password_hash),
            updated_at: now,
            ..known.clone()
        };
        let session = self.new_session(&user);
        let refresh_token = tokens::secret()?;
        let entry = writer.entry_of(&user, Change::done("password_set", "user", user.id), now);
        let redeemed = self.store.redeem_one_time_token(
            hash,
            (known, user.clone()),
            session,
            tokens::digest_of(&refresh_token),
            entry,
        );
        redeemed.await.map_err(unknown)?;
        self.remove_sign_in_file();
        self.signed_in(user, session, refresh_token)
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// [`Error::Invalid`] for one that cannot be used.
    pub async fn hash_password(&self, password: String) -> Result<String, Error> {
        check_password(&password)?;
        self.hashing.hash(password).await
    }

    /// Whether this is somebody's password. Wrong answers count like failed sign-ins.
    ///
    /// # Errors
    /// [`Error::Throttled`].
    pub async fn is_password_of(&self, user: &User, password: String) -> Result<bool, Error> {
        // Not the same as where people sign in: a sign-in does not forgive it, and nobody is kept out who signs in.
        let account = Account { name: user.id.to_string(), tenant: None };
        self.throttle.check(&account, None)?;
        self.throttle.failed(&account, None);
        let is_right = self.hashing.verify(password, user.password_hash.clone()).await?;
        if is_right {
            self.throttle.succeeded(&account, None);
        }
        Ok(is_right)
    }

    fn new_session(&self, user: &User) -> Session {
        let now = self.clock.now();
        let life = i64::try_from(self.options.session_life.as_micros()).unwrap_or(i64::MAX);
        Session {
            id: SessionId(clock::new_id()),
            tenant_id: user.tenant_id,
            user_id: user.id,
            created_at: now,
            expires_at: now.plus_micros(life),
            revoked_at: None,
        }
    }

    fn signed_in(&self, user: User, session: Session, refresh_token: String) -> Result<SignedIn, Error> {
        let now = self.clock.now();
        let life = i64::try_from(self.options.access_token_life.as_micros()).unwrap_or(i64::MAX);
        let access_expires_at = now.plus_micros(life).min(session.expires_at);
        let access_token = self.signer.sign(user.id, session.id, now, access_expires_at)?;
        Ok(SignedIn { user, access_token, access_expires_at, refresh_token, session_expires_at: session.expires_at })
    }
}

fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// An e-mail address in the form in which it is kept.
///
/// # Errors
/// [`Error::Invalid`].
pub fn checked_email(email: &str) -> Result<String, Error> {
    let email = normal_email(email);
    let is_address = email.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !host.starts_with('.') && !host.ends_with('.')
    });
    let is_plain = !email.chars().any(|c| c.is_control() || c.is_whitespace());
    if is_address && is_plain && email.chars().count() <= MAX_EMAIL_CHARACTERS {
        return Ok(email);
    }
    Err(Error::Invalid { field: "/email", reason: "must be an e-mail address such as ada@example.org".to_owned() })
}

/// The name of a person.
///
/// # Errors
/// [`Error::Invalid`].
pub fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let length = name.chars().count();
    if (1..=MAX_NAME_CHARACTERS).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    let reason = format!("must be 1 to {MAX_NAME_CHARACTERS} characters without control characters");
    Err(Error::Invalid { field: "/display_name", reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_in_lower_case() {
        assert_eq!(checked_email(" Ada@Example.ORG ").unwrap(), "ada@example.org");
        assert_eq!(checked_email("operator@localhost").unwrap(), "operator@localhost");
        for wrong in ["", "ada", "@example.org", "ada@", "a@b@c", "a b@c.d", "a@.org", "a@b\u{0}.org"] {
            assert!(checked_email(wrong).is_err(), "{wrong}");
        }
    }
}
