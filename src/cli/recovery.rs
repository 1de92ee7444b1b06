//! What an operator does when a log is not signed any more: said in the same words wherever that is noticed.

/// How the member's next log is opened, after why.
pub(super) fn next_log(why: &str) -> String {
    let lines = [
        &format!("{}{}. What to do (docs/backup.md):", why[..1].to_uppercase(), &why[1..]),
        "  1. shieldwall run, until `shieldwall status` shows that peers hold the same",
        "  2. bring root.pem into the folder of the keys; then",
        "     shieldwall charter export --out next.cose",
        "     shieldwall log open --charter next.cose",
        "     shieldwall charter publish next.cose",
        "  3. take root.pem away again, and restart the node: it signs the next log",
    ];
    lines.join("\n")
}
