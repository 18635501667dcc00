//! The first start: an operator is made, who signs in with a link that is shown once.

use super::audit::{Change, Writer};
use super::{Error, Identity, signing_key};
use crate::clock;
use crate::domain::{Role, TenantId, User, UserId};
use crate::store::OneTimePurpose;
use std::path::PathBuf;

const FILE: &str = "sign-in.token";
const LIFE_SECONDS: u32 = 7 * 24 * 3_600;
const EMAIL: &str = "operator@localhost";

/// The way in for the first operator.
#[derive(Clone)]
pub struct FirstSignIn {
    pub token: String,
    /// Where the token stands too, readable by its owner only.
    pub file: PathBuf,
}

/// Whether this is the operator of the first start, who has no address yet.
pub fn is_nameless(user: &User) -> bool {
    user.role == Role::Operator && user.email == EMAIL
}

impl Identity {
    /// Makes sure that somebody can get in. As long as no operator has a password or has come in with a provider, every start
    /// gives a fresh link.
    ///
    /// # Errors
    /// When it cannot be stored or the file cannot be written.
    pub async fn first_start(&self) -> Result<Option<FirstSignIn>, Error> {
        let operators = self.store.operators().await?;
        if operators.iter().any(|operator| operator.password_hash.is_some() || operator.last_sign_in_at.is_some()) {
            self.remove_sign_in_file();
            return Ok(None);
        }
        let operator = self.first_operator().await?;
        let (token, _) = self.one_time_token(&operator, OneTimePurpose::FirstSignIn, LIFE_SECONDS, None).await?;
        let file = self.options.directory.join(FILE);
        let (path, text) = (file.clone(), token.clone());
        let written = tokio::task::spawn_blocking(move || signing_key::write_private(&path, &text)).await;
        let failed = |reason: String| Error::File { what: "the token of the first sign-in", reason };
        match written {
            Ok(Ok(())) => Ok(Some(FirstSignIn { token, file })),
            Ok(Err(error)) => Err(failed(format!("{}: {error}", file.display()))),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// The oldest operator; one is made when there is none.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn first_operator(&self) -> Result<User, Error> {
        if let Some(operator) = self.store.operators().await?.into_iter().next() {
            return Ok(operator);
        }
        let now = self.clock.now();
        let operator = User {
            id: UserId(clock::new_id()),
            tenant_id: TenantId::DEFAULT,
            email: EMAIL.to_owned(),
            display_name: "Operator".to_owned(),
            password_hash: None,
            role: Role::Operator,
            is_active: true,
            locale: None,
            last_sign_in_at: None,
            created_at: now,
            updated_at: now,
        };
        let change = Change::done("user_created", "user", operator.id);
        let entry = Writer::service().entry(TenantId::DEFAULT, change, now);
        Ok(self.store.create_user(operator, entry).await?)
    }

    /// The link has served its purpose. A file that is not there is as good.
    pub(super) fn remove_sign_in_file(&self) {
        let _ = std::fs::remove_file(self.options.directory.join(FILE));
    }
}
