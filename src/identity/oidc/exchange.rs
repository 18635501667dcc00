//! The two steps of the code flow that OAuth knows: where the browser is sent, and what its code is exchanged for.

use super::attempt::Attempt;
use super::discovery::Metadata;
use super::transport::{Failed, Transport};
use super::{Error, Options};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::Url;

/// What OpenID Connect adds to the answer of the token endpoint.
#[derive(Debug, Serialize, Deserialize)]
struct IdToken {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

type Client = oauth2::Client<
    BasicErrorResponse,
    StandardTokenResponse<IdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What a code was good for. Neither token is kept.
pub struct Tokens {
    pub id_token: String,
    /// For the provider's own address of facts about the person.
    pub access_token: String,
}

fn client(options: &Options, metadata: &Metadata, return_to: &str) -> Result<Client, Error> {
    let return_to = RedirectUrl::new(return_to.to_owned()).map_err(|error| Error::NotAccepted(error.to_string()))?;
    let client = oauth2::Client::new(ClientId::new(options.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
        .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()))
        .set_redirect_uri(return_to)
        .set_auth_type(auth_type(metadata));
    Ok(match &options.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.clone())),
        None => client,
    })
}

/// How the provider wants the client's secret: in a header, unless it only takes it in the body.
fn auth_type(metadata: &Metadata) -> AuthType {
    let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
    let takes = |method: &str| methods.is_some_and(|methods| methods.iter().any(|known| known == method));
    if takes("client_secret_post") && !takes("client_secret_basic") {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    }
}

/// Where the browser is sent to sign in.
///
/// # Errors
/// When the address of return is none.
pub fn address(options: &Options, metadata: &Metadata, attempt: &Attempt) -> Result<Url, Error> {
    let client = client(options, metadata, &attempt.return_to)?;
    let verifier = PkceCodeVerifier::new(attempt.verifier.clone());
    let (address, _) = client
        .authorize_url(|| CsrfToken::new(attempt.state.clone()))
        .add_scopes(options.scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .add_extra_param("nonce", attempt.nonce.as_str())
        .url();
    Ok(address)
}

/// Exchanges a code.
///
/// # Errors
/// [`Error::NotAccepted`] for a code that is not good (any more), [`Error::Unavailable`] without an answer.
pub async fn redeem(
    options: &Options,
    metadata: &Metadata,
    transport: &Transport,
    attempt: &Attempt,
    code: String,
) -> Result<Tokens, Error> {
    let client = client(options, metadata, &attempt.return_to)?;
    let send = |request| transport.send(request);
    let answer = client
        .exchange_code(AuthorizationCode::new(code))
        .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()))
        .request_async(&send)
        .await
        .map_err(refusal)?;
    let access_token = answer.access_token().secret().clone();
    let id_token = answer.extra_fields().id_token.clone();
    let id_token = id_token.ok_or_else(|| Error::NotAccepted("it gives no ID token for the code".to_owned()))?;
    Ok(Tokens { id_token, access_token })
}

fn refusal(error: RequestTokenError<Failed, BasicErrorResponse>) -> Error {
    match error {
        RequestTokenError::Request(failed) => Error::Unavailable(failed.to_string()),
        RequestTokenError::ServerResponse(answer) => {
            Error::NotAccepted(format!("the code is refused: {}", answer.error().as_ref()))
        }
        // The body may hold tokens.
        RequestTokenError::Parse(error, _) => {
            Error::NotAccepted(format!("the answer to the code is not understood at {}", error.path()))
        }
        RequestTokenError::Other(reason) => Error::NotAccepted(reason),
    }
}
