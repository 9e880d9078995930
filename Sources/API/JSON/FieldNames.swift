import HTTPServer

/// Header fields that swift-http-types does not name.
extension HTTPField.Name {
    static let contentDigest = Self(literal: "Content-Digest")
    static let crossOriginOpenerPolicy = Self(literal: "Cross-Origin-Opener-Policy")
    static let idempotencyKey = Self(literal: "Idempotency-Key")
    static let idempotencyReplayed = Self(literal: "Idempotency-Replayed")
    static let link = Self(literal: "Link")
    static let prefer = Self(literal: "Prefer")
    static let preferenceApplied = Self(literal: "Preference-Applied")
    static let reprDigest = Self(literal: "Repr-Digest")
    static let xAmplification = Self(literal: "X-Amplification")
    // Of tus 1.0.0, resumable uploads.
    static let tusChecksumAlgorithm = Self(literal: "Tus-Checksum-Algorithm")
    static let tusExtension = Self(literal: "Tus-Extension")
    static let tusMaxSize = Self(literal: "Tus-Max-Size")
    static let tusResumable = Self(literal: "Tus-Resumable")
    static let tusVersion = Self(literal: "Tus-Version")
    static let uploadChecksum = Self(literal: "Upload-Checksum")
    static let uploadExpires = Self(literal: "Upload-Expires")
    static let uploadLength = Self(literal: "Upload-Length")
    static let uploadMetadata = Self(literal: "Upload-Metadata")
    static let uploadOffset = Self(literal: "Upload-Offset")
    static let uploadConcat = Self(literal: "Upload-Concat")
}
