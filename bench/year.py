"""A year at a counter, as rows: visits, calls, ratings, tickets, told waits, presence, marks and peer reviews.

    python bench/year.py --database-url URL [--days 365] [--per-day 1000] [--tellers 30]

Invented, and the same for the same arguments. For looking at the pages of a demo house with much data behind them and
for `bench/reports.py`; never for a house with customers. Written in a few statements within the database, so that
a million rows take a minute or two.
"""

import argparse
import asyncio
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

NAMES = (
    "李敏",
    "王建国",
    "陈静",
    "刘洋",
    "杨帆",
    "赵磊",
    "黄蓉",
    "周杰",
    "吴芳",
    "徐丽",
    "孙浩",
    "马超",
    "朱婷",
    "胡军",
    "何洁",
)
# Share of a day's customers by local hour, 8 to 17 (the shape of a bank's counters: a morning peak and a smaller one).
HOURS = {8: 3, 9: 14, 10: 18, 11: 13, 12: 7, 13: 8, 14: 14, 15: 12, 16: 8, 17: 3}
BUSINESSES = {"transfer": 40, "inquiry": 25, "account_opening": 15, "password_reset": 12, "wealth_signing": 8}

_TELLERS = """
insert into staff (id, username, display_name, staff_number, roles, skill_groups, team, password_hash, failed_logins,
  active, may_take_calls, must_change_password, post_since, forced_leave_at, created_at)
select 'staff_year_' || t, 'year' || t, (cast(:names as text[]))[1 + (t - 1) % :known], (5000 + t)::text,
  '["teller"]', '["personal", "wealth"]', (array['一组', '二组', '三组'])[1 + t % 3], '!', 0, true, true, false,
  now() - interval '1 day' * (200 + t * 37), now() - interval '1 day' * (t * 13), now() - interval '1 day' * 1400
from generate_series(1, :tellers) t
"""

# Every row's luck is drawn once and stored; everything below follows from it.
_CALLS = """
create temp table year_call as
select row_number() over (order by at)::int + :numbered as number, *
from (
  select d.day, d.weekend,
    ((d.day::timestamp + (k.hour || ' hours')::interval + random() * interval '1 hour')
      at time zone 'Asia/Shanghai') as at,
    (cast(:businesses as text[]))[1 + floor(random() * array_length(cast(:businesses as text[]), 1))::int] as business,
    1 + floor(:tellers * power(random(), 1.2))::int as teller,
    case when random() < 0.62 then random() * 18 else -ln(1 - random()) * (20 + 8 * k.share) end as wait_s,
    5 - ln(1 - random()) * 600 as patience_s,
    exp(5.9 + 0.55 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) as talk_s,
    case when random() < 0.08 then 15 + random() * 90 end as hold_s,
    4 + random() * 40 as wrap_s,
    case when random() < 0.55 then (array[1, 2, 3, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5])[1 + floor(random() * 14)::int] end
      as stars,
    random() as luck
  from (
    select day, extract(isodow from day) > 5 as weekend,
      case when extract(isodow from day) = 6 then 0.4 when extract(isodow from day) = 7 then 0.2
        when extract(day from day) between 10 and 15 then 1.25 else 1.0 end as size
    from generate_series(cast(:today as date) - cast(:days as int), cast(:today as date) - 1, interval '1 day') day
  ) d
  cross join lateral unnest(cast(:hours as int[]), cast(:shares as int[])) k(hour, share)
  cross join lateral generate_series(1, ceil(:per_day * d.size * k.share / 100)::int)
) drawn
"""

_ROWS = (
    "alter table year_call add column id text, add column teller_id text, add column accepted timestamptz, "
    "add column ended timestamptz, add column closed timestamptz",
    """
update year_call set id = 'call_year_' || number,
  teller_id = case when wait_s <= patience_s then 'staff_year_' || teller end,
  accepted = case when wait_s <= patience_s then at + wait_s * interval '1 second' end,
  ended = at + case when wait_s <= patience_s then wait_s + talk_s else patience_s end * interval '1 second',
  closed = at + case when wait_s <= patience_s then wait_s + talk_s + wrap_s else patience_s end * interval '1 second'
""",
    """
insert into visit (id, business_code, channel, device, address_class, language, created_at)
select 'visit_year_' || number, business, 'web', 'desktop', 'public', 'zh-CN', at from year_call
""",
    """
insert into call (id, number, visit_id, business_code, language, state, version, priority, teller_id, recording_ok,
  sharing, holds, queued_at, offered_at, accepted_at, connected_at, ended_at, closed_at, end_reason, disposition,
  skill_group, customer_class)
select id, number, 'visit_year_' || number, business, 'zh-CN', 'closed', 5, 0, teller_id, true, false,
  case when hold_s < talk_s and accepted is not null then jsonb_build_array(jsonb_build_object(
    'from', accepted, 'to', accepted + hold_s * interval '1 second')) else '[]' end,
  at, accepted - interval '3 seconds', accepted, accepted + interval '1 second', ended, closed,
  case when accepted is null then 'customer_left_queue' when luck < 0.6 then 'customer_hung_up'
    else 'teller_hung_up' end,
  case when accepted is null then null when luck < 0.86 then 'resolved' when luck < 0.94 then 'follow_up'
    else 'unspecified' end,
  (select skill_group from business where code = business), 'standard'
from year_call
""",
    "insert into call_leg (id, call_id, teller_id, began_at, ended_at, ended_by) "
    "select 'leg_year_' || number, id, teller_id, accepted, ended, 'end' from year_call where accepted is not null",
    "insert into rating (call_id, stars, tags, comment, at) "
    "select id, stars, '[]', '', ended from year_call where accepted is not null and stars is not null",
    """
insert into ticket (id, number, kind, state, department, visit_id, call_id, teller_id, subject, story, opened_by,
  opened_at, see_by, seen_at, answer_by, answer, answered_at, closed_at, version)
select 'ticket_year_' || c.number,
  row_number() over (order by c.number) + (select coalesce(max(number), 0) from ticket),
  'low_rating', case when c.day > cast(:today as date) - 3 then 'open' else 'closed' end, 'operations',
  'visit_year_' || c.number, c.id, c.teller_id, c.stars || ' 星', '', 'system:tickets', c.ended,
  c.ended + interval '15 minutes', c.ended + interval '9 minutes', c.ended + interval '48 hours', '', null, null, 1
from year_call c where c.accepted is not null and c.stars <= 2
""",
    """
insert into wait_estimate (call_id, told_at, position, low_s, high_s, waited_s, outcome, error_s)
select id, at, 1 + floor(luck * 6)::int, low, high, waited,
  case when accepted is not null then 'answered' else 'customer_left_queue' end,
  case when accepted is not null then least(waited - low, 0) + greatest(waited - high, 0) end
from (
  select *, floor(wait_s * (0.4 + 0.6 * luck))::int as low, ceil(wait_s * (0.8 + 0.7 * luck))::int + 5 as high,
    least(wait_s, patience_s) as waited from year_call
) told
""",
    """
insert into teller_span (teller_id, state, began_at, ended_at)
select teller_id, state, began, over from (
  select c.*, lead(accepted) over (partition by teller_id, day order by accepted) as next from year_call c
  where accepted is not null
) c cross join lateral (values
  ('offered', accepted - interval '3 seconds', accepted), ('in_call', accepted, ended), ('wrap_up', ended, closed),
  ('ready', closed, next - interval '3 seconds')
) spans(state, began, over) where over > began
""",
    """
insert into evaluation (id, call_id, form_version, state, auto_answers, auto_score, auto_fatal, max_score, answers,
  score, comment, draft, created_at, submitted_at, version)
select 'eval_year_' || number, id, 'year', 'final', '{}', 90, false, 100, '{}', 100 - floor(luck * 200), '', '{}',
  ended, ended + interval '1 day', 3
from year_call where accepted is not null and luck < 0.04
""",
    """
insert into defect (evaluation_id, item_id, call_id, category, title_zh, title_en, fatal, lost)
select 'eval_year_' || number, 'item', id, (array['entry_error', 'operation', 'verification', 'other'])
  [1 + floor(luck * 100)::int], '录入', 'Entry', false, 5
from year_call where accepted is not null and luck < 0.04 and number % 5 = 0
""",
    """
insert into peer_review (id, month, teller_id, reviewer_id, score, comment, at)
select 'review_year_' || m.month || '_' || a || '_' || b, m.month, 'staff_year_' || a, 'staff_year_' || b,
  60 + (a * 7 + b * 13) % 40, '', now()
from (select distinct to_char(day, 'YYYY-MM') as month from year_call) m,
  generate_series(1, :tellers) a, generate_series(1, :tellers) b where a <> b
""",
    "drop table year_call",
)


async def fill(connection: AsyncConnection, days: int, per_day: int, tellers: int, today: date) -> int:
    """Write the year before `today`. Returns the number of calls; the businesses have to be there."""
    wanted = [code for code, share in BUSINESSES.items() for _ in range(share)]
    known = set((await connection.execute(text("select code from business"))).scalars())
    given = {
        "names": list(NAMES),
        "known": len(NAMES),
        "tellers": tellers,
        "days": days,
        "per_day": per_day,
        "today": today,
        "businesses": [code for code in wanted if code in known],
        "hours": list(HOURS),
        "shares": list(HOURS.values()),
        "numbered": (await connection.execute(text("select coalesce(max(number), 0) from call"))).scalar_one(),
    }
    await connection.execute(text("select setseed(0.42)"))
    for statement in (_TELLERS, _CALLS, *_ROWS):
        names = text(statement).compile().params
        await connection.execute(text(statement), {name: given[name] for name in names})
    counted = text("select count(*) from call where id like 'call\\_year\\_%'")
    calls = int((await connection.execute(counted)).scalar_one())
    await connection.commit()
    for table in ("call", "visit", "rating", "wait_estimate", "teller_span", "evaluation", "ticket"):
        await connection.execute(text(f"analyze {table}"))
    await connection.commit()
    return calls


async def run(chosen: argparse.Namespace) -> None:
    """Into the database that was named."""
    engine = create_async_engine(chosen.database_url)
    async with engine.connect() as connection:
        calls = await fill(connection, chosen.days, chosen.per_day, chosen.tellers, date.today())
    await engine.dispose()
    print(f"{calls} calls of {chosen.days} days and {chosen.tellers} tellers")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--per-day", type=int, default=1000)
    parser.add_argument("--tellers", type=int, default=30)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
