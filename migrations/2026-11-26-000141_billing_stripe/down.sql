DROP TABLE billing_differences;
DROP TABLE billing_notes;
DROP TABLE billing_events;
DROP TABLE billing_invoices;
DROP TABLE billing_subscriptions;
DROP TABLE billing_customers;
