\set id random(1, 100000)
BEGIN;
SELECT points FROM customers WHERE id = :id FOR UPDATE;
UPDATE customers SET points = points + 1 WHERE id = :id;
COMMIT;
