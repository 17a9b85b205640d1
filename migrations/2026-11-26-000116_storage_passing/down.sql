DROP TABLE storage_passing;
