DROP TABLE core_features;
