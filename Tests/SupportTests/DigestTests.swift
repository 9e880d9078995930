import Foundation
import Support
import Testing

/// The examples of FIPS 180-4, and what pieces and copies come to.
@Suite struct DigestTests {
    private static let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"

    @Test(arguments: [
        (Digest.Algorithm.sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.sha1, long, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
        (.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (.sha256, long, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
        (
            .sha512, "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
                + "454d4423643ce80e2a9ac94fa54ca49f"
        ),
    ])
    func theStandardsExamples(algorithm: Digest.Algorithm, text: String, expected: String) {
        var digest = Digest(algorithm)
        digest.update(Data(text.utf8))
        #expect(digest.bytes.hexadecimal == expected)
        #expect(digest.bytes.count == algorithm.byteCount)
        if algorithm == .sha256 { #expect(Digest.sha256(Data(text.utf8)).hexadecimal == expected) }
    }

    @Test func piecesAreOneTextAndACopyGoesOnByItself() {
        let bytes = (0..<1_000).map { UInt8($0 & 255) }
        var whole = Digest(.sha256)
        var middle = whole
        for start in stride(from: 0, to: 1_000, by: 37) {
            whole.update(Array(bytes[start..<min(start + 37, 1_000)]))
            if start == 370 { middle = whole }
        }
        #expect(whole.bytes == Digest.sha256(bytes))
        #expect(middle.bytes == Digest.sha256(Array(bytes[..<407])))
        middle.update(Array(bytes[407...]))
        #expect(middle.bytes == whole.bytes && whole.bytes == whole.bytes)
    }
}
