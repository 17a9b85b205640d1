DROP TABLE plates_access;
