//! The 44 causes of a refusal.

use serde::{Deserialize, Serialize};

use crate::vocabulary::vocabulary;

vocabulary! {
    /// Why mail was refused. `catalog/causes/<word>.toml` defines each.
    Cause {
        /// A public or vendor list of IPs, domains or URLs.
        Blocklisted = "blocklisted",
        /// The receiver's or recipient's own block.
        BlockedByReceiver = "blocked-by-receiver",
        /// A reputation score.
        PoorReputation = "poor-reputation",
        /// An end-user or dial-up range.
        DynamicIp = "dynamic-ip",
        /// SPF is named.
        SpfFail = "spf-fail",
        /// DKIM is named.
        DkimFail = "dkim-fail",
        /// DMARC is named.
        DmarcFail = "dmarc-fail",
        /// Authentication in general, or several of the three.
        Unauthenticated = "unauthenticated",
        /// PTR missing, generic or not matching.
        ReverseDns = "reverse-dns",
        /// The HELO or EHLO name.
        HeloInvalid = "helo-invalid",
        /// TLS demanded and not used, or failing.
        TlsFailed = "tls-failed",
        /// This server does not take mail for that domain from us.
        RelayDenied = "relay-denied",
        /// Log in first.
        AuthRequired = "auth-required",
        /// A log-in was refused.
        AuthFailed = "auth-failed",
        /// Logged in, but not allowed to send as this address.
        SenderNotAuthorized = "sender-not-authorized",
        /// The sender's own account or tenant is blocked by its provider.
        AccountSuspended = "account-suspended",
        /// The own provider's sending limit.
        OwnQuota = "own-quota",
        /// An own service's suppression list.
        Suppressed = "suppressed",
        /// MAIL FROM malformed, not resolving or taking no mail.
        SenderInvalid = "sender-invalid",
        /// Judged spam, nothing more said.
        SpamContent = "spam-content",
        /// Virus, phishing, bad URL.
        MaliciousContent = "malicious-content",
        /// An attachment type, a dictionary or another rule on content.
        BannedContent = "banned-content",
        /// Not compliant in form.
        MalformedMessage = "malformed-message",
        /// Size.
        MessageTooLarge = "message-too-large",
        /// No such mailbox.
        RecipientUnknown = "recipient-unknown",
        /// Disabled, suspended or unused mailbox.
        RecipientInactive = "recipient-inactive",
        /// Moved elsewhere.
        RecipientMoved = "recipient-moved",
        /// Over quota.
        MailboxFull = "mailbox-full",
        /// This mailbox gets too much an hour.
        RecipientRateLimit = "recipient-rate-limit",
        /// Takes mail from permitted senders only.
        RecipientRestricted = "recipient-restricted",
        /// The receiver finds us too fast or too much.
        SenderRateLimit = "sender-rate-limit",
        /// Too many recipients in one message.
        TooManyRecipients = "too-many-recipients",
        /// Too many unknown users.
        TooManyInvalidRecipients = "too-many-invalid-recipients",
        /// Come back later, by design.
        Greylisted = "greylisted",
        /// The recipient's domain does not exist or takes no mail.
        DomainNotFound = "domain-not-found",
        /// Refused, timed out, down.
        Unreachable = "unreachable",
        /// Our own way out is closed.
        EgressBlocked = "egress-blocked",
        /// Hop count, loops back to itself.
        RoutingLoop = "routing-loop",
        /// Gave up.
        Expired = "expired",
        /// The receiver's own set-up is broken; nobody is listed.
        ReceiverMisconfigured = "receiver-misconfigured",
        /// A local fault of that side.
        SystemError = "system-error",
        /// Bad command, order or syntax.
        ProtocolError = "protocol-error",
        /// "For policy reasons", nothing more specific.
        Policy = "policy",
        /// The text says nothing.
        Unknown = "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::Cause;

    #[test]
    fn there_are_44_causes() {
        assert_eq!(Cause::ALL.len(), 44);
        assert_eq!(Cause::ALL[Cause::Policy as usize], Cause::Policy);
    }
}
