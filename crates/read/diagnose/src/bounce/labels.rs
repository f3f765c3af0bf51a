//! The words in front of an address that say whose it is: `Recipient:`, `Empfänger:`, `收件人：`.

/// Words before a colon behind which a recipient stands. Of several words the last decides.
const LABELS: &[&str] = &[
    "recipient",
    "recipients",
    "address",
    "addresses",
    "for",
    "error-for",
    "mailbox",
    "user",
    "rcpt",
    "recipient(s)",
    "failed",
    "user(s)",
    "address(es)",
    "addressee",
    "whom",
    "addressed",
    "destination",
    "reached",
    "to",
    "received",
    "rcpt-to",
    "mail",
    "email",
    "e-mail",
];

/// The same in other languages, where a label may be several words, or stand without blanks.
const ABROAD: &[&str] = &[
    "empfänger",
    "empfängeradresse",
    "gescheiterte",
    "adresse",
    "destinataire",
    "destinataires",
    "destinatario",
    "destinatarios",
    "destinatari",
    "dirección",
    "destinatário",
    "destinatários",
    "endereço",
    "indirizzo",
    "destinatar",
    "ontvanger",
    "ontvangers",
    "geadresseerde",
    "odbiorca",
    "odbiorcy",
    "adresat",
    "adres",
    "příjemce",
    "adresát",
    "adresa",
    "címzett",
    "vastaanottaja",
    "mottagare",
    "modtager",
    "mottaker",
    "mottakeradresse",
    "получатель",
    "получателя",
    "адресат",
    "адрес",
    "одержувач",
    "παραλήπτης",
    "alıcı",
    "alıcılar",
    "受信者",
    "宛先",
    "수신자",
    "받는사람",
    "받는 사람",
    "收件人",
    "收件者",
    "收件地址",
    "ผู้รับ",
    "người nhận",
    "penerima",
    "المستلم",
    "הנמען",
];

/// Labels of other people.
const NOT_LABELS: &[&str] = &[
    "from",
    "sender",
    "reply-to",
    "return-path",
    "contact",
    "postmaster",
    "administrator",
    "cc",
    "bcc",
    "message-id",
    "by",
    "at",
    "von",
    "de",
    "expanded",
    "absender",
    "admin",
    "support",
    "help",
    "mail from",
    "abuse",
    "id",
];

/// Words of a label that name somebody else, wherever they stand in it.
const OTHERS: &[&str] = &[
    "absender",
    "kontakt",
    "sender address",
    "expéditeur",
    "remitente",
    "remetente",
    "mittente",
    "afzender",
    "nadawc",
    "odesílatel",
    "отправител",
    "差出人",
    "送信者",
    "보낸",
    "发件",
    "寄件",
    "gönderen",
];

/// Whether a recipient stands behind this label, in lower case and without its colon. Of several words the last decides.
pub fn is_of_a_recipient(label: &str) -> bool {
    let last = label.split_whitespace().next_back().unwrap_or("");
    let ends_with =
        |known: &&str| label.strip_suffix(*known).is_some_and(|before| !before.ends_with(char::is_alphanumeric));
    LABELS.contains(&last) || ABROAD.iter().any(ends_with)
}

/// Whether somebody else stands behind it.
pub fn is_of_another(label: &str) -> bool {
    let last = label.split_whitespace().next_back().unwrap_or("");
    NOT_LABELS.iter().any(|known| label == *known || last == *known) || OTHERS.iter().any(|word| label.contains(word))
}

/// Words with which a line begins that describes the returned message: its subject, sender and date.
const OF_THE_MESSAGE: &[&str] = &[
    "subject",
    "from",
    "sender",
    "date",
    "sent",
    "message-id",
    "betreff",
    "absender",
    "von",
    "gesendet",
    "datum",
    "objet",
    "expéditeur",
    "envoyé",
    "asunto",
    "remitente",
    "enviado",
    "fecha",
    "assunto",
    "remetente",
    "oggetto",
    "mittente",
    "inviato",
    "onderwerp",
    "verzonden",
    "afzender",
    "temat",
    "nadawca",
    "wysłano",
    "předmět",
    "odesláno",
    "odesílatel",
    "tárgy",
    "feladó",
    "subiect",
    "expeditor",
    "ämne",
    "avsändare",
    "skickat",
    "emne",
    "afsender",
    "avsender",
    "sendt",
    "aihe",
    "lähettäjä",
    "lähetetty",
    "тема",
    "отправитель",
    "отправлено",
    "дата",
    "konu",
    "gönderen",
    "件名",
    "送信日時",
    "差出人",
    "제목",
    "보낸",
    "발송시간",
    "发件人",
    "主题",
    "时间",
    "主旨",
    "寄件者",
];

/// Most bytes of the label of a line that describes the returned message.
const LONGEST_LABEL: usize = 40;

/// Whether a line describes the returned message, and says nothing of why it came back: `Subject: your quota`.
pub fn is_of_the_message(line: &str) -> bool {
    let Some((label, _)) = line.split_once([':', '\u{ff1a}', '\t']) else { return false };
    let label = label.trim().trim_start_matches(['*', '-', '>', ' ']);
    label.len() <= LONGEST_LABEL && {
        let label = label.to_lowercase();
        OF_THE_MESSAGE.iter().any(|known| label.starts_with(known)) && label.split_whitespace().nth(2).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_address_stands_behind_a_label() {
        for label in ["recipient", "the recipient", "empf\u{e4}nger", "收件人", "원래 수신자", "человек получатель"]
        {
            assert!(is_of_a_recipient(label), "{label}");
        }
        for label in ["sender", "return-path", "", "nothing", "von", "absender-adresse", "sender address"] {
            assert!(!is_of_a_recipient(label) || is_of_another(label), "{label}");
        }
    }

    #[test]
    fn lines_about_the_returned_message() {
        for line in ["Subject: mailbox full", "  Betreff:\tx", "Avsenderadresse: a@b.example", "主题：x", "제목 : x"]
        {
            assert!(is_of_the_message(line), "{line}");
        }
        for line in ["550 no", "Reason: mailbox full", "The sender of this mail is not known here: a", "from"] {
            assert!(!is_of_the_message(line), "{line}");
        }
    }
}
