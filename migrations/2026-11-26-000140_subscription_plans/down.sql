DROP TABLE subscription_usage;
DROP TABLE subscription_meter;
DROP TABLE subscription_accounts;
