-- Answers that hold something secret are kept encrypted, together with the digest of their request.
ALTER TABLE idempotency_keys ADD COLUMN made_id TEXT;
ALTER TABLE idempotency_keys ADD COLUMN key_id TEXT;
ALTER TABLE idempotency_keys ADD COLUMN nonce TEXT;
ALTER TABLE idempotency_keys ADD COLUMN ciphertext TEXT;
