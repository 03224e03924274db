\set id random(1, 100000)
SELECT points FROM customers WHERE id = :id;
