\set id random(1, 100000)
INSERT INTO events VALUES (:id, 'a note of twenty one');
