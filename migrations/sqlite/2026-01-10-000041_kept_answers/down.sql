-- What is encrypted cannot be read without these columns.
DELETE FROM idempotency_keys WHERE ciphertext IS NOT NULL;
ALTER TABLE idempotency_keys DROP COLUMN ciphertext;
ALTER TABLE idempotency_keys DROP COLUMN nonce;
ALTER TABLE idempotency_keys DROP COLUMN key_id;
ALTER TABLE idempotency_keys DROP COLUMN made_id;
