DROP TABLE core_idempotency;
