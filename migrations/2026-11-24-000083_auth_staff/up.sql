-- People of the company that runs this installation, not of a garage.
ALTER TABLE auth_users ADD COLUMN staff boolean NOT NULL DEFAULT false;
