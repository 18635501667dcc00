//! The cryptography of tokens, from `ring`, which TLS brings along anyway, for the token library: HMAC-SHA-256 for our own
//! tokens, and the signatures that providers put under theirs, which are only ever checked.

use super::Error;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::hmac;
use ring::signature::{
    self as public, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use signature::{Signer, Verifier};
use std::sync::Once;

static PROVIDER: CryptoProvider =
    CryptoProvider { signer_factory: signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };

/// Signatures with an RSA key of 2048 to 8192 bits.
static RSA: [(Algorithm, &RsaParameters); 6] = [
    (Algorithm::RS256, &public::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RS384, &public::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::RS512, &public::RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::PS256, &public::RSA_PSS_2048_8192_SHA256),
    (Algorithm::PS384, &public::RSA_PSS_2048_8192_SHA384),
    (Algorithm::PS512, &public::RSA_PSS_2048_8192_SHA512),
];

/// Signatures with a key on a curve.
static CURVES: [(Algorithm, &dyn VerificationAlgorithm); 3] = [
    (Algorithm::ES256, &public::ECDSA_P256_SHA256_FIXED),
    (Algorithm::ES384, &public::ECDSA_P384_SHA384_FIXED),
    (Algorithm::EdDSA, &public::ED25519),
];

/// Makes the token library use this file. Installing twice is harmless.
pub fn install() {
    static INSTALLED: Once = Once::new();
    // Refused only when another one is installed, and there is no other in this program.
    INSTALLED.call_once(|| {
        let _ = PROVIDER.install_default();
    });
}

struct Hs256(hmac::Key);

fn key(algorithm: Algorithm, secret: &[u8]) -> Result<Hs256> {
    if algorithm != Algorithm::HS256 {
        return Err(new_error(ErrorKind::InvalidAlgorithm));
    }
    Ok(Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret)))
}

fn signer(algorithm: &Algorithm, secret: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Ok(Box::new(key(*algorithm, secret.as_bytes())?))
}

fn verifier(algorithm: &Algorithm, key_of_token: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    // A public key is never taken for a secret, nor one kind of key for another.
    if key_of_token.family() != algorithm.family() {
        return Err(new_error(ErrorKind::InvalidKeyFormat));
    }
    match key_of_token.family() {
        AlgorithmFamily::Hmac => Ok(Box::new(key(*algorithm, key_of_token.try_get_as_bytes()?)?)),
        AlgorithmFamily::Rsa | AlgorithmFamily::Ec | AlgorithmFamily::Ed => {
            Ok(Box::new(PublicKey { algorithm: *algorithm, key: key_of_token.clone() }))
        }
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        hmac::verify(&self.0, message, tag).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

/// The key of a provider, for one way of signing.
struct PublicKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

/// What a table has for an algorithm.
fn of<T: Copy>(table: &[(Algorithm, T)], algorithm: Algorithm) -> std::result::Result<T, signature::Error> {
    let found = table.iter().find(|(known, _)| *known == algorithm);
    found.map(|(_, value)| *value).ok_or_else(signature::Error::new)
}

impl Verifier<Vec<u8>> for PublicKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        let verified = match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(of(&RSA, self.algorithm)?, message, signature)
            }
            DecodingKeyKind::SecretOrDer(key) => {
                UnparsedPublicKey::new(of(&CURVES, self.algorithm)?, key).verify(message, signature)
            }
        };
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for PublicKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl From<jsonwebtoken::errors::Error> for Error {
    fn from(_: jsonwebtoken::errors::Error) -> Self {
        Self::InvalidCredential
    }
}
