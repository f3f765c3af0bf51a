//! Subjects by which notifications and automatic answers are known, in many languages.

use crate::finder::Finder;

/// Words of a subject that notifications of failure use.
static FAILED_SUBJECTS: Finder = Finder::new(&[
    "undeliver",
    "undelivery",
    "returned mail",
    "delivery status notification",
    "delivery failure",
    "mail delivery failed",
    "failure notice",
    "delivery notification",
    "delivery report",
    "mail delivery",
    "delivery problem",
    "delivery error",
    "nondeliverable",
    "non-deliver",
    "non deliver",
    "nondelivery",
    "mail failure",
    "message not delivered",
    "delivery has failed",
    "delivery failed",
    "permanent delivery failure",
    "mail system error",
    "returned to sender",
    "bounce notification",
    "bounced",
    "undeliverable",
    "rejected posting to",
    "your email has been blocked",
]);

/// Words in the subject of a notification of failure, in other languages.
static FAILED_ABROAD: Finder = Finder::new(&[
    "pas été envoyé",
    "nicht gesendet",
    "no se ha enviado",
    "unzustellbar",
    "nicht zugestellt",
    "zustellung fehlgeschlagen",
    "zustellungsfehler",
    "zustellfehler",
    "non remis",
    "échec de remise",
    "échec de distribution",
    "echec de distribution",
    "no se puede entregar",
    "fallo de entrega",
    "fallo en la entrega",
    "no entregado",
    "correo devuelto",
    "non recapitabile",
    "non consegnato",
    "mancata consegna",
    "mancato recapito",
    "não entregue",
    "falha na entrega",
    "nelivrat",
    "onbestelbaar",
    "niet te bestellen",
    "niedostarcz",
    "błąd dostarcz",
    "nebyla doručena",
    "nedoručiteln",
    "nedoručen",
    "nelze doručit",
    "kézbesíthetetlen",
    "kunde inte levereras",
    "går inte att leverera",
    "kan ikke leveres",
    "ei voitu toimittaa",
    "недоставленное",
    "не доставлено",
    "не удается доставить",
    "ошибка доставки",
    "сбой доставки",
    "недоставлен",
    "παράδοση",
    "teslim edileme",
    "配信不能",
    "配送エラー",
    "送信エラー",
    "無法傳遞",
    "無法遞送",
    "退信",
    "投递失败",
    "배달되지",
    "전송 실패",
    "발송실패",
    "발송 실패",
]);

/// Words of a subject that notifications of delay use.
static DELAYED_SUBJECTS: Finder =
    Finder::new(&["delayed", "delay)", "warning: could not send", "still being retried", "delivery delay"]);

/// Words in the subject of a notification of delay, in other languages.
static DELAYED_ABROAD: Finder = Finder::new(&[
    "verzögert",
    "retard",
    "in ritardo",
    "vertraagd",
    "opóźnion",
    "försenad",
    "forsinket",
    "задержк",
    "遅延",
    "延迟",
    "延遲",
]);

/// Words with which the subject of an automatic answer begins.
const AWAY_SUBJECTS: &[&str] = &[
    "auto:",
    "automatic reply",
    "autoreply",
    "auto-reply",
    "auto reply",
    "out of office",
    "out of the office",
    "vacation",
    "away from",
    "abwesenheit",
    "automatische antwort",
    "r\u{e9}ponse automatique",
    "absence",
    "respuesta autom\u{e1}tica",
    "risposta automatica",
    "resposta autom\u{e1}tica",
    "automatisch antwoord",
    "autosvar",
    "автоответ",
    "自動返信",
    "自動応答",
    "自动回复",
    "automatick\u{e1} odpov",
    "autoodpowied",
    "otomatik yan\u{131}t",
    "read:",
    "gelesen:",
    "lu :",
    "le\u{ed}do:",
];

/// Words anywhere in the subject of an automatic answer.
const AWAY_IN_SUBJECTS: &[&str] = &[
    "automatic reply",
    "out of office",
    "automatiska atbilde",
    "autosvar",
    "automaattinen vastaus",
    "abwesenheitsnotiz",
    "vacation reply",
    "out of the office",
    "ausente de la oficina",
    "fuera de la oficina",
    "fuori ufficio",
    "est absent",
    "est\u{e1} ausente",
    "ist au\u{df}er haus",
    "nicht im b\u{fc}ro",
    "自動返信",
];

/// Whether a subject is one of a notification of failure.
pub fn is_about_failure(subject: &str) -> bool {
    FAILED_SUBJECTS.is_in(subject) || FAILED_ABROAD.is_in(subject)
}

/// Whether a subject is one of a notification of delay.
pub fn is_about_delay(subject: &str) -> bool {
    DELAYED_SUBJECTS.is_in(subject) || DELAYED_ABROAD.is_in(subject)
}

/// Whether a subject is one of an automatic answer.
pub fn is_of_an_answer(subject: &str) -> bool {
    AWAY_SUBJECTS.iter().any(|start| subject.trim_start_matches("re: ").starts_with(start))
        || AWAY_IN_SUBJECTS.iter().any(|words| subject.contains(words))
}
