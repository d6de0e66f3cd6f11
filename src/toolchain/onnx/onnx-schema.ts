/**
 * The part of the ONNX protobuf schema that a ResNet uses, as a protobufjs descriptor. Names and field
 * numbers are those of the public schema. A message this package must notice but never reads (functions,
 * subgraphs, sparse tensors) is declared as bytes; whatever is not declared at all survives a round trip
 * as an unknown field.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

type FieldTable = Record<string, readonly [id: number, type: string, rule?: 'repeated' | 'packed']>;

function message(fields: FieldTable) {
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, [id, type, rule]]) => [
        name,
        rule === undefined
          ? { id, type }
          : { id, type, rule: 'repeated', options: { packed: rule === 'packed' } },
      ]),
    ),
  };
}

export const onnxSchema = {
  nested: {
    onnx: {
      nested: {
        ModelProto: message({
          irVersion: [1, 'int64'],
          producerName: [2, 'string'],
          producerVersion: [3, 'string'],
          domain: [4, 'string'],
          modelVersion: [5, 'int64'],
          docString: [6, 'string'],
          graph: [7, 'GraphProto'],
          opsetImport: [8, 'OperatorSetIdProto', 'repeated'],
          metadataProps: [14, 'StringStringEntryProto', 'repeated'],
          trainingInfo: [20, 'bytes', 'repeated'],
          functions: [25, 'bytes', 'repeated'],
        }),
        OperatorSetIdProto: message({ domain: [1, 'string'], version: [2, 'int64'] }),
        StringStringEntryProto: message({ key: [1, 'string'], value: [2, 'string'] }),
        GraphProto: message({
          node: [1, 'NodeProto', 'repeated'],
          name: [2, 'string'],
          initializer: [5, 'TensorProto', 'repeated'],
          docString: [10, 'string'],
          input: [11, 'ValueInfoProto', 'repeated'],
          output: [12, 'ValueInfoProto', 'repeated'],
          valueInfo: [13, 'ValueInfoProto', 'repeated'],
          sparseInitializer: [15, 'bytes', 'repeated'],
        }),
        NodeProto: message({
          input: [1, 'string', 'repeated'],
          output: [2, 'string', 'repeated'],
          name: [3, 'string'],
          opType: [4, 'string'],
          attribute: [5, 'AttributeProto', 'repeated'],
          docString: [6, 'string'],
          domain: [7, 'string'],
        }),
        AttributeProto: message({
          name: [1, 'string'],
          f: [2, 'float'],
          i: [3, 'int64'],
          s: [4, 'bytes'],
          t: [5, 'TensorProto'],
          g: [6, 'bytes'],
          floats: [7, 'float', 'repeated'],
          ints: [8, 'int64', 'repeated'],
          strings: [9, 'bytes', 'repeated'],
          tensors: [10, 'bytes', 'repeated'],
          graphs: [11, 'bytes', 'repeated'],
          docString: [13, 'string'],
          type: [20, 'int32'],
          refAttrName: [21, 'string'],
        }),
        TensorProto: message({
          dims: [1, 'int64', 'repeated'],
          dataType: [2, 'int32'],
          segment: [3, 'bytes'],
          floatData: [4, 'float', 'packed'],
          int32Data: [5, 'int32', 'packed'],
          stringData: [6, 'bytes', 'repeated'],
          int64Data: [7, 'int64', 'packed'],
          name: [8, 'string'],
          rawData: [9, 'bytes'],
          doubleData: [10, 'double', 'packed'],
          uint64Data: [11, 'uint64', 'packed'],
          docString: [12, 'string'],
          externalData: [13, 'StringStringEntryProto', 'repeated'],
          dataLocation: [14, 'int32'],
        }),
        ValueInfoProto: message({ name: [1, 'string'], type: [2, 'TypeProto'], docString: [3, 'string'] }),
        TypeProto: message({
          tensorType: [1, 'TensorTypeProto'],
          sequenceType: [4, 'bytes'],
          mapType: [5, 'bytes'],
          denotation: [6, 'string'],
        }),
        TensorTypeProto: message({ elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] }),
        TensorShapeProto: message({ dim: [1, 'DimensionProto', 'repeated'] }),
        DimensionProto: message({
          dimValue: [1, 'int64'],
          dimParam: [2, 'string'],
          denotation: [3, 'string'],
        }),
      },
    },
  },
};
