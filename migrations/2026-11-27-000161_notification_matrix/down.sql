DROP INDEX notification_items_subject;
DROP INDEX notification_items_old;
DROP TABLE notification_preferences;
DROP TABLE notification_reads;
DROP TABLE notification_readers;
