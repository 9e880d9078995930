import Support
import Testing

@testable import Graph

@Suite("The operator catalogue")
struct OperatorCatalogTests {
    @Test("has every signature it lists, once")
    func names() {
        let names = OperatorCatalog.names
        #expect(Set(names).count == names.count)
        // A signature that did not parse would be missing.
        for name in [
            "aten::conv2d", "aten::split.Tensor", "aten::var.correction", "aten::slice.Tensor", "sym::mul",
        ] {
            #expect(names.contains(name))
        }
        #expect(names.count >= 150)
    }

    @Test("knows what writes in place, what shares memory, and what switches to training")
    func properties() throws {
        let relu = try #require(OperatorCatalog.rule(for: "aten::relu_", overload: ""))
        #expect(relu.isInPlace && !relu.isView)
        let view = try #require(OperatorCatalog.rule(for: "aten::view", overload: ""))
        #expect(view.isView && !view.isInPlace)
        #expect(OperatorCatalog.rule(for: "aten::batch_norm", overload: "")?.trainingSwitch == "training")
        #expect(OperatorCatalog.rule(for: "aten::native_dropout", overload: "")?.trainingSwitch == "train")
        #expect(OperatorCatalog.rule(for: "aten::conv2d", overload: "")?.trainingSwitch == nil)
        #expect(OperatorCatalog.rule(for: "aten::system", overload: "") == nil)
    }

    @Test("reads signatures as PyTorch writes them")
    func signatures() throws {
        let schema = try #require(
            OperatorSchema(
                "aten::f.x(Tensor(a!) self, SymInt[2] stride=[1, 2], *, float? p=None, str mode=\"same\", "
                    + "Tensor(a -> *) more) -> (Tensor, Tensor)"))
        #expect(schema.name == "aten::f")
        #expect(schema.overload == "x")
        #expect(schema.resultCount == 2)
        #expect(schema.arguments.map(\.name) == ["self", "stride", "p", "mode", "more"])
        #expect(schema.arguments.map(\.kind) == [.tensor, .ints, .float, .string, .tensor])
        #expect(
            schema.arguments.map(\.defaultValue) == [
                .required, .ints([1, 2]), .none, .string("same"), .required,
            ])
        #expect(schema.arguments[0].isMutated && schema.arguments[4].isAliased)
        #expect(schema.arguments[1].length == 2 && schema.arguments[2].isOptional)
        #expect(OperatorSchema("aten::f(Unknown x) -> Tensor") == nil)
    }

    @Test("turns a number for a tensor into the scalar form")
    func normalises() {
        let node = Graph.Node(
            name: "add", operatorName: "aten::add", overload: "Tensor",
            arguments: [.init(name: "self", value: .tensor(0)), .init(name: "other", value: .float(2))],
            outputs: [1])
        #expect(OperatorCatalog.normalised(node).overload == "Scalar")
    }
}
