//! Sealing and opening: of a secret, and of any text under a context of its own.

use super::Error;
use super::keys::Key;
use crate::domain::TenantId;
use crate::domain::secret::Sealed;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::Value;
use zeroize::Zeroizing;

/// What is authenticated with a value. The tenant's id has a fixed length, so that no two pairs look the same.
fn context(tenant_id: TenantId, name: &str) -> String {
    format!("callboard/secret/1/{tenant_id}/{name}")
}

/// # Errors
/// When the value is larger than the cipher allows.
pub fn seal(key: &Key, tenant_id: TenantId, name: &str, value: &Value) -> Result<Sealed, Error> {
    seal_text(key, &context(tenant_id, name), &Zeroizing::new(value.to_string()))
}

/// `None` when the key is another one or the row was changed.
pub fn open(key: &Key, tenant_id: TenantId, name: &str, sealed: &Sealed) -> Option<Value> {
    serde_json::from_slice(&open_text(key, &context(tenant_id, name), sealed)?).ok()
}

/// Seals a text. It opens under the same context only.
///
/// # Errors
/// When it is larger than the cipher allows.
pub fn seal_text(key: &Key, context: &str, plain: &str) -> Result<Sealed, Error> {
    let nonce = XNonce::generate();
    let payload = Payload { msg: plain.as_bytes(), aad: context.as_bytes() };
    let ciphertext = cipher(key).encrypt(&nonce, payload).map_err(|_| Error::Encryption)?;
    Ok(Sealed { key_id: key.id().to_owned(), nonce: STANDARD.encode(nonce), ciphertext: STANDARD.encode(ciphertext) })
}

/// The bytes of a text; `None` when key or context are other ones, or the row was changed.
pub fn open_text(key: &Key, context: &str, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
    let nonce: [u8; 24] = STANDARD.decode(&sealed.nonce).ok()?.try_into().ok()?;
    let ciphertext = STANDARD.decode(&sealed.ciphertext).ok()?;
    let payload = Payload { msg: &ciphertext, aad: context.as_bytes() };
    cipher(key).decrypt(&XNonce::from(nonce), payload).ok().map(Zeroizing::new)
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Keys;
    use serde_json::json;
    use uuid::Uuid;

    fn keys() -> Keys {
        Keys::parse(&format!("b={}, a={}", STANDARD.encode([7; 32]), STANDARD.encode([9; 32]))).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_with_its_key_under_its_name_and_tenant_only() {
        let keys = keys();
        let (tenant, other) = (TenantId::DEFAULT, TenantId(Uuid::from_u128(7)));
        let value = json!({"user": "ada", "password": "s3cret-value"});
        let sealed = seal(keys.current().unwrap(), tenant, "db", &value).unwrap();
        assert_eq!(sealed.key_id, "b");
        let key = |id| keys.get(id).unwrap();
        assert_eq!(open(key("b"), tenant, "db", &sealed), Some(value.clone()));
        assert_eq!(open(key("a"), tenant, "db", &sealed), None);
        assert_eq!(open(key("b"), other, "db", &sealed), None);
        assert_eq!(open(key("b"), tenant, "dc", &sealed), None);
        let mut changed = STANDARD.decode(&sealed.ciphertext).unwrap();
        changed[0] ^= 1;
        let changed = Sealed { ciphertext: STANDARD.encode(changed), ..sealed.clone() };
        assert_eq!(open(key("b"), tenant, "db", &changed), None);
        let again = seal(key("b"), tenant, "db", &value).unwrap();
        assert!(again.nonce != sealed.nonce && again.ciphertext != sealed.ciphertext);
    }
}
