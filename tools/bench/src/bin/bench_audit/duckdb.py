# The files of bench audit into DuckDB, with the raw text beside the columns that are asked about, and the same questions.
import json, os, sys, time
import duckdb

folder, questions = sys.argv[1], json.loads(sys.argv[2])
path = os.path.join(folder, "rival.duckdb")
db = duckdb.connect(path)
db.execute("SET memory_limit='4GB'")
began = time.time()
db.execute(f"""
CREATE TABLE event AS SELECT
  regexp_extract(filename, '(cluster-[0-9]+)', 1) AS cluster,
  json_extract_string(raw, '$.verb') AS verb,
  json_extract_string(raw, '$.user.username') AS username,
  json_extract_string(raw, '$.objectRef.resource') AS resource,
  json_extract_string(raw, '$.objectRef.namespace') AS namespace,
  json_extract_string(raw, '$.objectRef.name') AS name,
  CAST(json_extract_string(raw, '$.responseStatus.code') AS INTEGER) AS code,
  json_extract_string(raw, '$.user.extra."authentication.kubernetes.io/credential-id"[0]') AS credential,
  json_extract_string(raw, '$.sourceIPs[0]') AS address,
  json_extract_string(raw, '$.userAgent') AS agent,
  json_extract_string(raw, '$.auditID') AS audit_id,
  epoch_us(CAST(json_extract_string(raw, '$.requestReceivedTimestamp') AS TIMESTAMP)) AS received,
  raw
FROM read_csv('{folder}/*.jsonl', columns={{'raw': 'VARCHAR'}}, delim='\x01', quote='', escape='', header=false,
  filename=true, max_line_size=20000000)
""")
db.execute("CHECKPOINT")
load = time.time() - began
answer = {"load_s": load, "bytes": os.path.getsize(path), "version": duckdb.__version__}


def timed(name, sql, sets):
    took, values = [], []
    for values_of in sets:
        began = time.time()
        values.append(db.execute(sql, values_of).fetchall())
        took.append((time.time() - began) * 1000)
    took.sort()
    answer[name + "_ms"] = took[int((len(took) - 1) * 0.95)]
    return values


answer["deletes"] = db.execute("SELECT count(*) FROM event WHERE verb = 'delete'").fetchone()[0]
answer["counts"] = [
    rows[0][0]
    for rows in timed(
        "count",
        "SELECT count(*) FROM event WHERE cluster = ? AND received >= ? AND received < ? AND verb = 'delete'",
        questions["counts"],
    )
]
answer["texts"] = [
    rows[0][0] for rows in timed("text", "SELECT count(*) FROM event WHERE contains(name, ?)", questions["texts"])
]
answer["credentials"] = [
    rows[0][0] for rows in timed("credential", "SELECT count(*) FROM event WHERE credential = ?", questions["credentials"])
]
heat = timed(
    "heat",
    "SELECT cluster, (received - ?) // 86400000000, count(*) FROM event GROUP BY ALL ORDER BY ALL",
    [[questions["begin"]]] * 5,
)[0]
answer["heat"] = [[cluster, int(day), count] for cluster, day, count in heat]
timed(
    "page",
    "SELECT * EXCLUDE raw FROM event WHERE cluster = ? AND received >= ? AND received < ? ORDER BY received DESC LIMIT 100",
    questions["counts"],
)
db.close()
os.remove(path)
print(json.dumps(answer))
