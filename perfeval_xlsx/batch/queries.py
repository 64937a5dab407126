"""The manifest's tables and longer queries."""

TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    key TEXT PRIMARY KEY, path BLOB NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL, digest TEXT NOT NULL,
    stamp TEXT NOT NULL, rulebooks TEXT NOT NULL, copy TEXT, copy_size INTEGER, copy_mtime INTEGER,
    again INTEGER NOT NULL, twin TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forms (
    key TEXT NOT NULL, number INTEGER NOT NULL, status TEXT NOT NULL, standing INTEGER NOT NULL, total REAL,
    grade TEXT, rulebook TEXT, judged INTEGER NOT NULL, errors INTEGER NOT NULL, warnings INTEGER NOT NULL,
    findings INTEGER NOT NULL, replaced INTEGER NOT NULL, compared TEXT, head BLOB NOT NULL, brief BLOB NOT NULL,
    detail BLOB NOT NULL, rows BLOB NOT NULL, PRIMARY KEY (key, number)
);
CREATE INDEX IF NOT EXISTS ranking ON forms (standing, total DESC, key, number);
"""
CONTENTS = "CREATE INDEX IF NOT EXISTS contents ON files (digest, key)"
"""Made once the first files are recorded: digests have no order, and each by itself costs five times as much."""
LISTS = """
CREATE TEMP TABLE listing (
    key TEXT PRIMARY KEY, path BLOB NOT NULL, relative TEXT NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL,
    problem TEXT, done INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TEMP TABLE copies (copy TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL) WITHOUT ROWID;
"""
PENDING = """
SELECT l.key, l.path, l.relative, l.size, l.mtime, l.problem, f.digest, f.stamp = :stamp AND f.size = l.size AND
    f.path = l.path AND NOT (f.again = 1 OR f.again > :locked)
    AND (f.copy IS NULL OR (c.size IS f.copy_size AND c.mtime IS f.copy_mtime)) AND f.twin IS NULL AS touched,
    CASE WHEN c.size <> f.copy_size OR c.mtime <> f.copy_mtime THEN f.copy END AS changed
FROM listing l LEFT JOIN files f ON f.key = l.key LEFT JOIN copies c ON c.copy = f.copy
WHERE l.key > :after AND NOT l.done AND (
    f.key IS NULL OR f.again = 1 OR f.again > :locked OR f.path <> l.path OR f.size <> l.size
    OR f.mtime <> l.mtime OR f.stamp <> :stamp
    OR (f.copy IS NOT NULL AND (c.size IS NOT f.copy_size OR c.mtime IS NOT f.copy_mtime))
    OR (f.twin IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM files t JOIN listing o ON o.key = t.key
        WHERE t.key = f.twin AND t.digest = f.digest AND t.twin IS NULL)))
ORDER BY l.key LIMIT :limit
"""
NOT_LISTED = "FROM files f WHERE f.stamp NOT LIKE 'gone %' AND f.key NOT IN (SELECT key FROM listing)"
LISTED_COPIES = "SELECT f.copy FROM files f JOIN listing l ON l.key = f.key WHERE f.copy IS NOT NULL"
UNLISTED = f"""
SELECT f.key, f.path, f.copy, c.copy IS NOT NULL, c.size IS f.copy_size AND c.mtime IS f.copy_mtime,
    EXISTS (SELECT 1 FROM listing o WHERE o.path = f.path),
    f.digest <> '' AND EXISTS (SELECT 1 FROM files t JOIN listing o ON o.key = t.key WHERE t.digest = f.digest)
{NOT_LISTED.replace("WHERE", "LEFT JOIN copies c ON c.copy = f.copy WHERE")}
"""
TWINS = """
SELECT f.key, f.digest, (
    SELECT t.key FROM files t JOIN listing o ON o.key = t.key WHERE t.digest = f.digest ORDER BY t.key LIMIT 1) AS first
FROM files f JOIN listing l ON l.key = f.key
WHERE f.digest IN (SELECT digest FROM files WHERE digest <> '' GROUP BY digest HAVING count(*) > 1)
    AND first < f.key AND (f.twin IS NULL OR f.twin <> first)
"""
NEW_FILE = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
NEW_FORM = "INSERT INTO forms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)"
HEADS = """
SELECT f.head, NULL, f.compared FROM forms f INDEXED BY ranking CROSS JOIN listing l ON l.key = f.key
ORDER BY f.standing, f.total DESC, f.key, f.number
"""
RANKED = """
SELECT f.brief, CASE WHEN f.compared IS NULL THEN NULL ELSE f.head END, f.compared
FROM forms f INDEXED BY ranking CROSS JOIN listing l ON l.key = f.key
ORDER BY f.standing, f.total DESC, f.key, f.number
"""
TOLD = """
SELECT f.head, f.findings = 0, f.compared
FROM listing l CROSS JOIN forms f ON f.key = l.key ORDER BY l.key, f.number
"""
RESULTS = """
SELECT f.head, f.rows, f.compared FROM listing l CROSS JOIN forms f ON f.key = l.key ORDER BY l.key, f.number
"""
UNSETTLED = """
SELECT f.head, f.rows, f.compared FROM listing l CROSS JOIN forms f ON f.key = l.key AND f.judged > 0
ORDER BY l.key, f.number
"""
IN_ORDER = """
SELECT f.head, NULL, f.compared FROM listing l CROSS JOIN forms f ON f.key = l.key ORDER BY l.key, f.number
"""
TROUBLED = """
SELECT o.head, NULL, o.compared FROM listing l CROSS JOIN forms o ON o.key = l.key
WHERE l.key IN (SELECT key FROM forms WHERE standing = :failed UNION SELECT key FROM files WHERE again = 1)
    AND (o.standing = :failed OR EXISTS (SELECT 1 FROM files f WHERE f.key = l.key AND f.again = 1))
ORDER BY l.key, o.number
"""
DETAILS = """
SELECT f.detail FROM listing l CROSS JOIN forms f ON f.key = l.key ORDER BY l.key, f.number
"""
COUNTS = """
SELECT status, count(*), sum(judged),
    sum(errors + (SELECT count(*) FROM json_each(compared) WHERE value ->> 'severity' = 'error')),
    sum(warnings + (SELECT count(*) FROM json_each(compared) WHERE value ->> 'severity' = 'warning')),
    sum(replaced), avg(total)
FROM forms JOIN listing USING (key) GROUP BY status
"""
