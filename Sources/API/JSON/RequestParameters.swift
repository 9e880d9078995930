import Foundation
import HTTPServer
import Support

/// Query parameters and headers, checked.
extension HTTPRequestHead {
    /// Refuses parameters that the route does not have: a typing error must not widen a filter.
    func allowQuery(_ known: String...) throws { try allowQuery(known) }

    func allowQuery(_ known: [String]) throws {
        for item in query where !known.contains(item.name) {
            throw Self.invalid(
                item.name, "There is no query parameter \"\(item.name.prefix(80))\" here.",
                fix: known.isEmpty ? "Leave it out." : "Known are: " + known.joined(separator: ", ") + ".")
        }
        for name in known where query.filter({ $0.name == name }).count > 1 {
            throw Self.invalid(
                name, "The query parameter \"\(name)\" is given more than once.", fix: "Give it once.")
        }
    }

    func queryInt(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
        try queryValue(name).map { try Self.int(name, $0, range) }
    }

    static func int(_ name: String, _ text: String, _ range: ClosedRange<Int>) throws -> Int {
        guard let value = Int(text), range.contains(value) else {
            let bounds =
                range.upperBound == .max
                ? "from \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            throw invalid(name, "\(name) is a whole number \(bounds), not \"\(text.prefix(80))\".")
        }
        return value
    }

    func queryBool(_ name: String) throws -> Bool? {
        try queryValue(name).map { try Self.bool(name, $0) }
    }

    /// The one way that a query parameter, or an upload's metadata, says yes or no: true, false, 1 or 0.
    static func bool(_ name: String, _ text: String) throws -> Bool {
        switch text {
        case "true", "1": return true
        case "false", "0": return false
        default: throw invalid(name, "\(name) is true or false, not \"\(text.prefix(80))\".")
        }
    }

    func queryOne<Value: RawRepresentable & CaseIterable>(_ name: String, of type: Value.Type) throws
        -> Value?
    where Value.RawValue == String {
        try queryValue(name).map { try Self.one(name, $0, of: type) }
    }

    static func one<Value: RawRepresentable & CaseIterable>(
        _ name: String, _ text: String, of type: Value.Type
    ) throws -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: text) else {
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw invalid(name, "\(name) is one of \(known), not \"\(text.prefix(80))\".")
        }
        return value
    }

    /// The page size, 100 unless told.
    func pageLimit() throws -> Int { try queryInt("limit", 1...1000) ?? 100 }

    /// Seconds of `Prefer: wait=N` (RFC 7240), at most 60. Nil without that preference or with one that
    /// can't be read, which the RFC says to ignore.
    var preferredWait: Int? {
        for preference in headers.list(.prefer) {
            let parts = preference.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces).lowercased() == "wait"
            else {
                continue
            }
            let text = parts[1].trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
            if let seconds = Int(text), seconds >= 0 { return min(seconds, 60) }
        }
        return nil
    }

    /// The `sha-256` member of Content-Digest (RFC 9530) in lower-case hexadecimal. Nil without the header.
    func contentDigest() throws -> String? { try digest(.contentDigest) }

    /// The `sha-256` member of a digest field (RFC 9530).
    func digest(_ field: HTTPField.Name) throws -> String? {
        let members = headers.list(field)
        guard !members.isEmpty else { return nil }
        let digests = members.compactMap { member -> String? in
            let parts = member.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "sha-256" else { return nil }
            return String(parts[1])
        }
        let fix = "Send \(field): sha-256=:BASE64:, with the SHA-256 of the body."
        guard let digest = digests.first else {
            throw Problem(
                .malformed, code: "content-digest-unsupported", title: "The \(field) can't be checked",
                detail: "Only sha-256 is supported.", location: field.rawName, fix: fix)
        }
        guard digest.count > 2, digest.hasPrefix(":"), digest.hasSuffix(":"),
            let bytes = Data(base64Encoded: String(digest.dropFirst().dropLast())), bytes.count == 32
        else {
            throw Problem(
                .malformed, code: "content-digest-malformed", title: "The \(field) is not valid",
                detail: "\"\(digest.prefix(80))\" is not a SHA-256 in base64 between colons.",
                location: field.rawName, fix: fix)
        }
        return bytes.hexadecimal
    }

    static func invalid(_ name: String, _ detail: String, fix: String? = nil) -> Problem {
        Problem(
            .malformed, code: "query-invalid", title: "A query parameter is not valid", detail: detail,
            location: name, fix: fix ?? "Correct \(name), or leave it out.")
    }

    /// The best of `offers` by the Accept header's weights (RFC 9110, section 12.5.1); the first one where
    /// the header is absent or takes none of them.
    func negotiated(_ offers: [String]) -> String {
        var best = (offer: offers[0], weight: 0.0)
        let ranges = headers.list(.accept).map { MediaRange($0) }
        for offer in offers {
            let matching = ranges.filter { $0.matches(offer) }.max { $0.specificity < $1.specificity }
            if let weight = matching?.weight, weight > best.weight { best = (offer, weight) }
        }
        return best.offer
    }
}

/// One member of an Accept header.
private struct MediaRange {
    var type, subtype: String
    var weight = 1.0

    init(_ text: String) {
        let parts = text.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        let names = (parts.first ?? "").split(separator: "/").map(String.init)
        type = names.first ?? ""
        subtype = names.count > 1 ? names[1] : "*"
        for part in parts.dropFirst() where part.hasPrefix("q=") {
            weight = Double(part.dropFirst(2)) ?? 0
        }
    }

    var specificity: Int { (type == "*" ? 0 : 1) + (subtype == "*" ? 0 : 1) }

    func matches(_ offer: String) -> Bool {
        let names = offer.split(separator: "/")
        return (type == "*" || type == names[0]) && (subtype == "*" || subtype == names[1])
    }
}
