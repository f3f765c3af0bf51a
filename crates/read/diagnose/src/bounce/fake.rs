//! Phishing dressed as a bounce: it returns no message, and wants a click, a log-in or an attachment opened.

use redeliver_message::{Mail, Part};

use super::report::Report;

/// What such mails ask for; a real notification asks for none of it.
const LURES: &[&str] = &[
    "release message",
    "release pending",
    "release my",
    "release all",
    "release your",
    "release held",
    "release to inbox",
    "pending message",
    "pending mail",
    "held message",
    "undelivered mails",
    "incoming messages",
    "incoming mails",
    "incoming emails",
    "retrieve message",
    "retrieve pending",
    "retrieve your",
    "recover message",
    "recover your",
    "restore message",
    "view message",
    "view messages",
    "review message",
    "review and release",
    "read message",
    "read messages",
    "allow message",
    "allow delivery",
    "deliver messages",
    "deliver now",
    "resend now",
    "fix now",
    "verify your",
    "verify account",
    "verify now",
    "verify mailbox",
    "validate your",
    "validate account",
    "validate mailbox",
    "confirm your",
    "confirm account",
    "confirm ownership",
    "log in to",
    "login to",
    "sign in to",
    "login here",
    "keep my password",
    "keep same password",
    "keep your password",
    "current password",
    "upgrade your",
    "upgrade storage",
    "increase storage",
    "increase quota",
    "synchronis",
    "synchroniz",
    "re-authenticate",
    "reactivate",
    "avoid suspension",
    "avoid deactivation",
    "will be deleted after",
    "messages are deleted after",
    "click here",
    "click below",
    "klicken sie hier",
    "nachrichten freigeben",
    "freigeben",
    "best\u{e4}tigen sie ihr",
    "konto best\u{e4}tigen",
    "jetzt anmelden",
    "passwort beibehalten",
    "nachrichten freizugeben",
    "bitte ihr passwort",
    "bitte ihr kennwort",
    "kontingent zu erweitern",
    "anzeigen und freigeben",
    "haga clic",
    "liberar mensajes",
    "verifique su",
    "verificar cuenta",
    "confirme su",
    "recuperar mensajes",
    "cliquez ici",
    "lib\u{e9}rer",
    "v\u{e9}rifiez votre",
    "confirmez votre",
    "clicca qui",
    "verifica il tuo",
    "rilascia",
    "clique aqui",
    "verifique sua",
    "voice message",
    "contrase\u{f1}a ha caducado",
    "misma contrase\u{f1}a",
    "mensajes est\u{e1}n retenidos",
    "mensajes retenidos",
    "password has expired",
    "password will expire",
    "passwort ist abgelaufen",
    "passwort l\u{e4}uft ab",
    "mot de passe a expir\u{e9}",
    "m\u{ea}me mot de passe",
    "senha expirou",
    "password \u{e8} scaduta",
    "zur\u{fc}ckgehaltene nachrichten",
    "messages en attente",
    "voicemail",
    "play message",
    "increase your quota",
    "ausstehenden nachrichten",
    "ausstehende nachrichten",
    "postfach best\u{e4}tig",
    "ha caducado",
    "reenviar mensaje",
    "recuperar sus mensajes",
    "actualizar su",
    "r\u{e9}cup\u{e9}rer vos messages",
    "mettre \u{e0} jour votre",
    "r\u{e9}activer votre",
    "recupera i messaggi",
    "aggiorna la tua",
    "recuperar suas mensagens",
    "clique no link",
    "atualize sua",
    "klik hier",
    "bevestig uw",
    "berichten vrijgeven",
    "kliknij tutaj",
    "potwierd\u{17a} swoje",
    "buraya t\u{131}klay",
    "нажмите здесь",
    "подтвердите сво",
    "восстановить сообщения",
    "保留されて",
    "保留中のメール",
    "受信トレイに配信",
    "24時間以内",
    "点击以下",
    "点击下面",
    "立即升级",
    "取回",
    "邮箱备案",
    "여기를 클릭",
];

/// Endings of files that no server attaches to a notification.
const TRAPS: &[&str] = &[
    ".zip", ".rar", ".7z", ".exe", ".scr", ".pif", ".com", ".bat", ".cmd", ".js", ".jse", ".vbs", ".hta", ".htm",
    ".html", ".shtml", ".svg", ".iso", ".img", ".lnk", ".docm", ".xlsm", ".gz", ".tgz",
];

/// Whether the mail only pretends to be a notification.
pub fn is_fake(mail: &Mail<'_>, report: &Report<'_>) -> bool {
    // A returned message is what a fake has not, and status fields (RFC 3464) only the better ones.
    if report.returned.is_some() || report.feedback.is_some() || report.disposition.is_some() {
        return false;
    }
    let forged = failed_authentication(report);
    if !report.status.is_empty() && !forged {
        return false;
    }
    if mail.own_parts().any(is_trap) {
        return true;
    }
    let words = report.words.to_lowercase();
    let links = mail.own_parts().any(|part| has_link(part));
    let lures = LURES.iter().filter(|lure| words.contains(*lure)).count();
    links && (lures >= 2 || (lures == 1 && forged))
}

fn is_trap(part: &Part<'_>) -> bool {
    part.file_name().is_some_and(|name| {
        let name = name.trim().to_ascii_lowercase();
        TRAPS.iter().any(|ending| name.ends_with(ending))
    })
}

/// Whether a text part leads somewhere.
fn has_link(part: &Part<'_>) -> bool {
    if part.is_container() || !part.content_type.kind.starts_with("text/") {
        return false;
    }
    let decoded = part.decoded();
    memchr::memmem::find(&decoded, b"http://").is_some() || memchr::memmem::find(&decoded, b"https://").is_some()
}

/// Whether the receiver noted that the sender is forged (RFC 8601): a check failed, and DMARC did not pass.
fn failed_authentication(report: &Report<'_>) -> bool {
    let mut failed = false;
    for raw in report.headers.all("authentication-results") {
        let text = String::from_utf8_lossy(raw).to_ascii_lowercase();
        if text.contains("dmarc=pass") {
            return false;
        }
        failed |= ["spf=fail", "spf=softfail", "dkim=fail", "dmarc=fail"].iter().any(|word| text.contains(word));
    }
    // RFC 7208 9.1
    let mut spf =
        report.headers.all("received-spf").map(|raw| String::from_utf8_lossy(raw).trim().to_ascii_lowercase());
    failed || spf.any(|result| result.starts_with("fail") || result.starts_with("softfail"))
}
