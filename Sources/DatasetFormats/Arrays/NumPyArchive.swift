import Findings
import Support
import WorkerProtocol

/// The header of a NumPy array file (numpy.lib.format): a magic, a length, and a Python dict as text.
struct NumPyHeader {
    let type: String
    let shape: [Int]

    private static let maximumBytes = 1 << 16

    /// - Parameter read: appends at most so many of the file's next bytes.
    init(name: String, read: (inout [UInt8], Int) throws -> Void) throws {
        func damaged(_ detail: String) -> Problem {
            Problem(
                .malformed, code: "array-damaged", title: "A NumPy array is damaged", detail: detail,
                location: name, fix: "Write it again with numpy.savez.")
        }
        var bytes: [UInt8] = []
        try read(&bytes, 8)
        guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)), bytes.count == 8, (1...3).contains(bytes[6])
        else { throw damaged("It does not begin as a NumPy array does.") }
        let width = bytes[6] == 1 ? 2 : 4
        var digits: [UInt8] = []
        try read(&digits, width)
        // bounded: at most four bytes.
        let length = digits.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard digits.count == width, length <= Self.maximumBytes else {
            throw damaged("Its header is cut short or too long.")
        }
        var header: [UInt8] = []
        try read(&header, length)
        guard header.count == length, let text = String(validating: header, as: UTF8.self),
            let descr = Self.value("descr", text), let fortran = Self.value("fortran_order", text),
            let shape = Self.value("shape", text)
        else { throw damaged("Its header is cut short or not of the known form.") }
        guard descr.hasPrefix("'"), descr.hasSuffix("'"), descr.count >= 3 else {
            throw Problem(
                .unprocessable, code: "array-type-unsupported",
                title: "An array's element type is not supported",
                detail: "Its elements are \(descr.prefix(60)).", location: name,
                fix: "Save plain arrays of numbers.")
        }
        type = String(descr.dropFirst().dropLast())
        guard fortran == "False" else {
            throw Problem(
                .unprocessable, code: "array-order-unsupported", title: "An array lies in Fortran order",
                detail: "Its fortran_order is \(fortran.prefix(20)).", location: name,
                fix: "Save numpy.ascontiguousarray(array).")
        }
        let parts = shape.dropFirst().dropLast().split(separator: ",").map { $0.trimmingSpace() }
        let sizes = parts.filter { !$0.isEmpty }.map { Int($0) ?? -1 }
        guard shape.hasPrefix("("), shape.hasSuffix(")"), sizes.count <= 8, sizes.allSatisfy({ $0 >= 0 })
        else {
            throw damaged("Its shape is “\(shape.prefix(80))”.")
        }
        self.shape = sizes
    }

    /// The text of a value of the dict, up to the comma or bracket that ends it.
    private static func value(_ key: String, _ text: String) -> String? {
        guard let start = text.firstRange(of: "'\(key)':")?.upperBound else { return nil }
        var result = ""
        var depth = 0
        for character in text[start...] {
            if depth == 0, character == "," || character == "}" { break }
            if character == "(" || character == "[" { depth += 1 }
            if character == ")" || character == "]" { depth -= 1 }
            result.append(character)
        }
        return result.trimmingSpace()
    }
}

/// A `.npz`: a zip of NumPy arrays, of which one holds the images and one the labels.
enum NumPyArchive {
    /// Names of the two arrays; `{}` stands for nothing or, as a prefix or suffix, for the split.
    private static let pairs = [
        ("x", "y"), ("images", "labels"), ("image", "label"), ("data", "targets"), ("data", "labels"),
        ("X", "y"),
        ("X", "Y"), ("arr_0", "arr_1"),
    ]

    /// The parts that pairs of arrays are of.
    static func parts(_ arrays: [String]) -> Set<String> {
        Set(["train", "test"].filter { pair(arrays, part: $0) != nil })
    }

    /// The names of the arrays of images and labels.
    private static func pair(_ arrays: [String], part: String?) -> (String, String)? {
        let names = Set(arrays.map { $0.hasSuffix(".npy") ? String($0.dropLast(4)) : $0 })
        let candidates = pairs.flatMap { x, y in
            guard let part else { return [(x, y)] }
            return [("\(x)_\(part)", "\(y)_\(part)"), ("\(part)_\(x)", "\(part)_\(y)")]
        }
        return candidates.first { names.contains($0.0) && names.contains($0.1) }
    }

    static func source(
        format: String, arrays: [String], split: ImportOptions.Split?, limits: ImportLimits,
        open: () throws -> any EntrySource
    ) throws -> ArraySource {
        let names = arrays.map { $0.hasSuffix(".npy") ? String($0.dropLast(4)) : $0 }
        guard let (images, labels) = pair(arrays, part: split?.rawValue) else {
            throw Problem(
                .unprocessable, code: "arrays-not-found",
                title: "The arrays of images and labels are not found",
                detail: "The arrays are called \(names.prefix(12).joined(separator: ", ")).",
                fix: "Write them with numpy.savez(\"set.npz\", x=images, y=labels).")
        }
        let targets = try read(labels + ".npy", limits, open())
        let source = try open()
        try find(images + ".npy", in: source)
        let header = try NumPyHeader(name: images) { try source.read(into: &$0, limit: $1) }
        let count = header.shape.first ?? 0
        guard count == targets.count else { throw Labels.counts(count, targets.count, labels) }
        return try ArraySource(
            formatName: format, name: images,
            pixels: ImageArray.pixels(
                header.shape, ImageArray.element(header.type, name: images), name: images, limits: limits),
            labels: targets, stream: EntryRecords(source), limits: limits)
    }

    private static func find(_ name: String, in source: any EntrySource) throws {
        while let entry = try source.next() {
            if entry.name == name { return }
        }
        throw Problem(
            .malformed, code: "array-damaged", title: "A NumPy array is damaged",
            detail: "The entry is not there any more.", location: name,
            fix: "Don't change the file while it is read; upload it again.")
    }

    private static func read(_ name: String, _ limits: ImportLimits, _ source: any EntrySource) throws
        -> [Int]
    {
        try find(name, in: source)
        let header = try NumPyHeader(name: name) { try source.read(into: &$0, limit: $1) }
        // One label per image; a column of them too.
        guard header.shape.count == 1 || (header.shape.count == 2 && header.shape[1] == 1) else {
            throw Labels.invalid(
                "Their shape is (\(header.shape.map(String.init).joined(separator: ", "))); one number per image is "
                    + "expected.", name,
                fix:
                    "Save one whole number for each image: numpy.argmax(y, 1) turns one-hot labels into numbers."
            )
        }
        let count = header.shape[0]
        guard count <= limits.maximumImages else {
            throw ImportProblems.tooMany("images", limits.maximumImages, name)
        }
        var bytes: [UInt8] = []
        // bounded: at most `maximumImages`.
        try source.read(into: &bytes, limit: 8 * count)
        return try ImageArray.labels(bytes[...], header.type, count: count, name: name)
    }
}
