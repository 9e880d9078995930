import Support

extension ZipArchive {
    /// Reads the central directory of an archive, in memory that does not depend on how many entries there are.
    ///
    /// Names, sizes, kinds and local headers are checked, as for a whole archive; overlaps and names that are there twice
    /// are not. For archives of more entries than are to be held in memory.
    /// - Parameter isCounted: by an entry's name.
    /// - Returns: how many entries are counted, and how many there are.
    /// - Throws: `Problem` (`zip-…`) that names the entry.
    public static func scan(
        _ file: RandomAccessFile, limits: ZipLimits = ZipLimits(), isCounted: (String) -> Bool = { _ in true }
    ) throws -> (counted: Int, entries: Int) {
        let end = try ZipEndRecord.locate(in: file)
        let headers = ZipLocalHeader(file: file, limit: end.directoryOffset)
        var counted = 0
        try ZipCentralDirectory.forEach(file, end, limits) { record in
            _ = try headers.locate(record)
            if isCounted(record.entry.name) { counted += 1 }
        }
        return (counted, end.entryCount)
    }

    /// Entries that the end record tells of.
    /// - Throws: `Problem` (`zip-…`).
    public static func entryCount(_ file: RandomAccessFile) throws -> Int {
        try ZipEndRecord.locate(in: file).entryCount
    }
}
