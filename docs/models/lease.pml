/* The lease protocol of a cluster: two nodes that want one slot, the coordination server, and a
 * network that delays, reorders and loses. Checked: never do two nodes run the slot at once, and no
 * epoch runs twice.
 *
 *   scripts/check-model        # all of it, and that it finds what a margin of 0 does
 *
 * Time is a tick. The server forgets a node LEASE ticks after a beat of it was carried out; the node
 * stops LEASE - MARGIN ticks after it sent one. A clock may miss one tick in a lease.
 *
 * What was given up by its sender may still be carried out at any time. So the server takes each
 * step that some request, however old, could ask for:
 *   - it gives the free slot to any node that has a row,
 *   - it takes the slot back under an epoch whose run was ended on purpose,
 *   - it prolongs the time of any node that it has not forgotten,
 *   - it makes a row for a name that has none.
 * In the code: actors/cluster/membership.cpp (nodes), coordination.cpp (server).
 */
#ifndef LEASE
#define LEASE 3
#endif
#ifndef MARGIN
#define MARGIN 1
#endif
#ifndef LIVES
#define LIVES 3 /* rows that are made, in all */
#endif
#ifndef EPOCHS
#define EPOCHS 3
#endif

typedef Node {
  bool up;
  bool stranger;  /* the row of its name is another process's */
  byte id;        /* 0: no member */
  byte good;      /* ticks for which it may act */
  bool slow;      /* its clock has missed a tick in this lease */
  byte runs;      /* the epoch that it runs; 0: nothing */

  byte beat;      /* its id in the beat under way; 0: none */
  byte beat_age;
  byte beat_got;  /* 0: not carried out, 1: alive, 2: forgotten */

  bool joining;
  bool viewing;
  bool done;      /* that was carried out, and the answer is on its way */
  byte age;       /* of the join */
  byte got_id;    /* of a join; the owner in a view */
  byte got_epoch;
}

Node n[2];
byte row[2];   /* the id in the row of each name; 0: none */
byte left[2];  /* ticks until the server may forget it */
byte owner;    /* the id that has the slot; 0: nobody */
byte epoch;
byte lives;
byte last_run;
bool ended[EPOCHS + 1];

inline forget(i) {
  if
  :: owner == row[i] -> owner = 0
  :: else
  fi;
  row[i] = 0;
  left[i] = 0
}

inline make_row(i) {
  lives++;
  row[i] = lives;
  left[i] = LEASE
}

inline lose(i) {
  n[i].id = 0;
  n[i].good = 0;
  n[i].slow = false;
  n[i].runs = 0
}

inline end_beat(i) {
  n[i].beat = 0;
  n[i].beat_age = 0;
  n[i].beat_got = 0
}

inline end_request(i) {
  n[i].joining = false;
  n[i].viewing = false;
  n[i].done = false;
  n[i].age = 0;
  n[i].got_id = 0;
  n[i].got_epoch = 0
}

inline renew(i, since) {
  if
  :: LEASE - MARGIN > since && LEASE - MARGIN - since > n[i].good ->
     n[i].good = LEASE - MARGIN - since;
     n[i].slow = false
  :: else
  fi
}

inline start(i, under) {
  assert(under > last_run);
  assert(n[1 - i].runs == 0);
  last_run = under;
  n[i].runs = under
}

inline tick(i) {
  if
  :: left[i] > 0 -> left[i]--
  :: else
  fi;
  if
  :: n[i].good > 0 && !n[i].slow -> n[i].slow = true
  :: n[i].good > 1 -> n[i].good--
  :: n[i].good == 1 -> lose(i)
  :: n[i].good == 0
  fi;
  if
  :: n[i].beat != 0 && n[i].beat_age < LEASE -> n[i].beat_age++
  :: else
  fi;
  if
  :: n[i].joining && n[i].age < LEASE -> n[i].age++
  :: else
  fi
}

inline step(i) {
  if
  /* --- the node sends */
  :: n[i].id != 0 && n[i].beat == 0 -> n[i].beat = n[i].id
  :: n[i].up && n[i].id == 0 && !n[i].joining && !n[i].viewing -> n[i].joining = true
  :: n[i].id != 0 && !n[i].joining && !n[i].viewing -> n[i].viewing = true
  /* --- it stops, because the slot is wanted elsewhere; it crashes; it begins again */
  :: n[i].runs != 0 && !n[i].viewing ->
     ended[n[i].runs] = true;
     n[i].runs = 0
  :: n[i].up ->
     end_request(i);
     end_beat(i);
     lose(i);
     n[i].up = false;
     n[i].stranger = true
  :: !n[i].up -> n[i].up = true
  /* --- it hears no answer in time */
  :: n[i].beat != 0 -> end_beat(i)
  :: n[i].joining || n[i].viewing -> end_request(i)

  /* --- the server carries out */
  :: n[i].beat != 0 && n[i].beat_got == 0 && row[i] == n[i].beat && left[i] > 0 ->
     left[i] = LEASE;
     n[i].beat_got = 1
  :: n[i].beat != 0 && n[i].beat_got == 0 && (row[i] != n[i].beat || left[i] == 0) ->
     n[i].beat_got = 2
  :: n[i].joining && !n[i].done && lives < LIVES ->
     n[i].done = true;
     if
     :: row[i] != 0 && left[i] > 0 && n[i].stranger
     :: else ->
        forget(i);
        make_row(i);
        n[i].stranger = false;
        n[i].got_id = row[i]
     fi
  :: n[i].viewing && !n[i].done ->
     n[i].done = true;
     n[i].got_id = owner;
     n[i].got_epoch = epoch
  :: row[i] != 0 && left[i] == 0 -> forget(i)
  /* --- or what somebody had asked for long ago */
  :: row[i] != 0 && owner == 0 && epoch < EPOCHS ->
     owner = row[i];
     epoch++
  :: owner != 0 && owner == row[i] && ended[epoch] -> owner = 0
  :: row[i] != 0 && left[i] > 0 && left[i] < LEASE -> left[i] = LEASE
  :: row[i] == 0 && lives < LIVES -> make_row(i)

  /* --- the answers come */
  :: n[i].beat_got == 1 ->
     if
     :: n[i].id == n[i].beat -> renew(i, n[i].beat_age)
     :: else
     fi;
     end_beat(i)
  :: n[i].beat_got == 2 ->
     if
     :: n[i].id == n[i].beat -> lose(i)
     :: else
     fi;
     end_beat(i)
  :: n[i].joining && n[i].done ->
     if
     :: n[i].got_id != 0 && LEASE - MARGIN > n[i].age ->
        n[i].id = n[i].got_id;
        renew(i, n[i].age)
     :: else
     fi;
     end_request(i)
  :: n[i].viewing && n[i].done ->
     if
     :: n[i].id == 0 || n[i].got_id != n[i].id -> n[i].runs = 0
     :: else ->
        if
        :: n[i].runs == 0 && !ended[n[i].got_epoch] -> start(i, n[i].got_epoch)
        :: else
        fi
     fi;
     end_request(i)
  fi
}

init {
  n[0].up = true;
  n[1].up = true;
  do
  :: atomic { tick(0); tick(1) }
  :: atomic { step(0) }
  :: atomic { step(1) }
  od
}
