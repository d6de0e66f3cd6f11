import worker from 'resnet-edge/worker';
export default worker;
