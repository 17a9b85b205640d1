DROP TABLE pricing_estimates;
