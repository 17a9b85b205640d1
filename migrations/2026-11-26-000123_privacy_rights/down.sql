DROP TABLE privacy_consents;
DROP TABLE privacy_erasures;
DROP TABLE privacy_exports;
