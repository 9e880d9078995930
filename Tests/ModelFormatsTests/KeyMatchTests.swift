import Testing

@testable import ModelFormats

@Suite("Names of weights behind what wrappers put before them")
struct KeyMatchTests {
    @Test(
        "are those of the graph",
        arguments: [
            (["a.w", "a.b"], ["a.w", "a.b"], "", ""),
            (["module.a.w", "module.a.b"], ["a.w", "a.b"], "", "module."),
            (["a.w", "a.b"], ["model.a.w", "model.a.b"], "model.", ""),
            (["module.a.w", "module.a.b", "step"], ["model.a.w", "model.a.b"], "model.", "module."),
            (["x.y.z.a.w", "a.b"], ["a.w", "a.b", "a.c"], "", ""),
            (["x.y.z.a.w", "x.y.z.a.b"], ["a.w", "a.b"], "", "x.y.z."),
            (["other"], ["a.w"], "", ""), ([], ["a.w"], "", ""), (["a.w"], [], "", ""),
        ] as [([String], Set<String>, String, String)])
    func prefixes(keys: [String], names: Set<String>, added: String, removed: String) {
        #expect(KeyMatch.prefixes(of: keys, names) == (added, removed))
    }

    /// As many as a file may have, with as many different beginnings as are looked at.
    @Test("are found in a time that grows with their number alone")
    func atTheLimit() {
        let count = ModelLimits().maximumWeights
        let names = Set((0..<count).map { "m.n.o.layers.\($0).weight" })
        let keys = (0..<count).map { "a\($0 < 64 ? $0 : 0).layers.\($0).weight" }
        let start = ContinuousClock.now
        #expect(KeyMatch.prefixes(of: keys, names) == ("m.n.o.", "a0."))
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test("are looked for in a path of many components in no more of them than names have")
    func manyComponents() {
        let row = TableRow(
            path: String(repeating: "a.", count: 50_000) + "fc.weight", container: "", shape: [1],
            isFloating: true)
        #expect(row.suffixes(3) == ["a.fc.weight", "fc.weight", "weight"])
    }
}
