-- The tables of scripts/bench database: the same for every program that takes part.
DROP TABLE IF EXISTS customers, loyaltyPoints, events;
CREATE TABLE customers (id INTEGER PRIMARY KEY, points INTEGER NOT NULL);
INSERT INTO customers SELECT i, i % 1000 FROM generate_series(1, 100000) i;
CREATE TABLE loyaltyPoints (customer_id INTEGER NOT NULL, ORDERDATE DATE NOT NULL, points INTEGER NOT NULL);
INSERT INTO loyaltyPoints
  SELECT i % 10000 + 1, DATE '2026-01-01' + (i / 10000) * 18, i % 50 FROM generate_series(0, 199999) i;
CREATE INDEX ON loyaltyPoints (customer_id, ORDERDATE);
CREATE TABLE events (customer_id INTEGER NOT NULL, note TEXT NOT NULL);
ANALYZE customers, loyaltyPoints;
