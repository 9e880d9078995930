import Support

/// A classifier as data: a list of ATen operator calls in execution order, over named values.
///
/// Values are numbered; `ValueID` indexes `valueNames`. Every value is written once (single static
/// assignment) and before it is read. `GraphChecker` establishes this; a `Graph` from `ModelFormats`
/// has passed it.
public struct Graph: Hashable, Sendable {
    public typealias ValueID = Int

    /// What a graph input is fed with.
    public enum InputKind: Hashable, Sendable {
        /// Trained weight; `name` is the fully qualified name in the state dict.
        case parameter(name: String)
        /// State such as running statistics.
        case buffer(name: String)
        /// A lifted constant tensor.
        case constant(name: String)
        /// The image batch, (N, C, H, W).
        case image
    }

    public struct Input: Hashable, Sendable {
        public var value: ValueID
        public var kind: InputKind

        public init(value: ValueID, kind: InputKind) {
            self.value = value
            self.kind = kind
        }
    }

    public struct Node: Hashable, Sendable {
        /// The node's name in the file, for messages.
        public var name: String
        /// Such as `aten::conv2d`.
        public var operatorName: String
        /// Such as `Tensor`; empty for the default overload.
        public var overload: String
        /// In the file's order; arguments left out take the schema's defaults.
        public var arguments: [NamedArgument]
        /// One entry per result; nil for one that nothing reads.
        public var outputs: [ValueID?]

        public init(
            name: String, operatorName: String, overload: String, arguments: [NamedArgument],
            outputs: [ValueID?]
        ) {
            self.name = name
            self.operatorName = operatorName
            self.overload = overload
            self.arguments = arguments
            self.outputs = outputs
        }
    }

    public struct NamedArgument: Hashable, Sendable {
        public var name: String
        public var value: Argument

        public init(name: String, value: Argument) {
            self.name = name
            self.value = value
        }
    }

    /// An integer that is known, or computed by a node from the batch size.
    public enum SymbolicInt: Hashable, Sendable {
        case known(Int64)
        case computed(ValueID)
    }

    public enum Argument: Hashable, Sendable {
        case none
        case tensor(ValueID)
        case tensors([ValueID])
        case optionalTensors([ValueID?])
        case int(SymbolicInt)
        case ints([SymbolicInt])
        case float(Double)
        case floats([Double])
        case bool(Bool)
        case bools([Bool])
        case string(String)
        case scalarType(ScalarType)
        /// Raw `c10::MemoryFormat`: 0 contiguous, 1 preserve, 2 channels_last.
        case memoryFormat(Int8)
        /// Raw `c10::Layout`; 0 (strided) is the only one allowed.
        case layout(Int8)
        /// Only `cpu` is allowed.
        case device
    }

    public var valueNames: [String]
    public var inputs: [Input]
    public var nodes: [Node]
    /// The logits, (N, classes).
    public var output: ValueID
    /// N, C, H, W of the image input; nil where the batch is dynamic.
    public var imageShape: [Int?]
    public var imageType: ScalarType
    /// Number of classes.
    public var classes: Int

    public init(
        valueNames: [String], inputs: [Input], nodes: [Node], output: ValueID, imageShape: [Int?],
        imageType: ScalarType, classes: Int
    ) {
        self.valueNames = valueNames
        self.inputs = inputs
        self.nodes = nodes
        self.output = output
        self.imageShape = imageShape
        self.imageType = imageType
        self.classes = classes
    }
}

/// One weight of a model and where its bytes lie in the model file.
public struct WeightLocation: Hashable, Sendable {
    /// Fully qualified name in the state dict.
    public var name: String
    public var type: ScalarType
    public var shape: [Int]
    /// In elements.
    public var strides: [Int]
    /// Byte offset in the file of element [0, 0, …], checked to lie, with the last element, inside the
    /// entry it belongs to.
    public var fileOffset: Int
    /// Bytes from the first element to the end of the last.
    public var byteCount: Int

    public init(
        name: String, type: ScalarType, shape: [Int], strides: [Int], fileOffset: Int, byteCount: Int
    ) {
        self.name = name
        self.type = type
        self.shape = shape
        self.strides = strides
        self.fileOffset = fileOffset
        self.byteCount = byteCount
    }
}
